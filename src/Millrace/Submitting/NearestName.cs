namespace Millrace.Submitting;

/// <summary>Finds the name that somebody probably meant.</summary>
internal static class NearestName
{
    /// <summary>The nearest of the known names, or null when none is near: a wrong guess is worse than none.</summary>
    public static string? Find(string name, IEnumerable<string> known)
    {
        // Comparing is quadratic, and a name this long was not mistyped.
        if (name.Length is 0 or > 200)
            return null;
        string? nearest = null;
        var least = Math.Clamp(name.Length / 3, 1, 4) + 1;
        foreach (var candidate in known)
        {
            if (candidate.Length > 200)
                continue;
            var distance = Distance(name, candidate);
            if (distance >= least)
                continue;
            least = distance;
            nearest = candidate;
        }

        return nearest;
    }

    /// <summary><c> Did you mean "SendReceipt"?</c> with a space before it, or the empty text.</summary>
    public static string Question(string name, IEnumerable<string> known) =>
        Find(name, known) is { } nearest ? $" Did you mean \"{nearest}\"?" : "";

    /// <summary>How many letters to insert, delete, replace or swap with their neighbour. Case does not count.</summary>
    public static int Distance(string left, string right)
    {
        var above = new int[right.Length + 1];
        var row = new int[right.Length + 1];
        var next = new int[right.Length + 1];
        for (var j = 0; j <= right.Length; j++)
            row[j] = j;
        for (var i = 1; i <= left.Length; i++)
        {
            next[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var change = row[j - 1] + (Same(left[i - 1], right[j - 1]) ? 0 : 1);
                next[j] = Math.Min(Math.Min(row[j] + 1, next[j - 1] + 1), change);
                if (i > 1 && j > 1 && Same(left[i - 1], right[j - 2]) && Same(left[i - 2], right[j - 1]))
                    next[j] = Math.Min(next[j], above[j - 2] + 1);
            }

            (above, row, next) = (row, next, above);
        }

        return row[right.Length];
    }

    private static bool Same(char left, char right) => char.ToUpperInvariant(left) == char.ToUpperInvariant(right);
}
