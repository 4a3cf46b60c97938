namespace FolderIndex;

/// <summary>
/// A walk through a folder that can be taken up after any entry: directories depth first, names in ordinal order. Symbolic links are neither
/// followed (they can lead in circles) nor listed, and neither are directories that tools fill: what is in them nobody wrote, and a
/// checkout that was built has a hundred times more of it than of all else.
/// </summary>
internal static class FolderWalk
{
    private static readonly HashSet<string> Filled = new(StringComparer.Ordinal) { ".git", ".hg", ".svn", ".venv", ".vs", "__pycache__", "bin", "node_modules", "obj" };

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    /// <summary>The files among the next entries.</summary>
    /// <param name="folder">Where the walk began.</param>
    /// <param name="after">The <see cref="WalkBatch.Last"/> of the batch before; null to begin. It need not exist any more.</param>
    /// <param name="size">How many entries to take, files and directories.</param>
    /// <param name="leaveOut">A directory to leave out, with all that is in it.</param>
    public static WalkBatch Next(string folder, string? after, int size, string? leaveOut = null)
    {
        var unreadable = new List<string>();
        var entries = Walk(folder, "", after?.Split(Path.DirectorySeparatorChar) ?? [], leaveOut, unreadable).Take(size).ToList();
        return new WalkBatch(
            [.. entries.Where(entry => !entry.IsDirectory).Select(entry => Path.Combine(folder, entry.Name))],
            unreadable,
            entries.Count == size ? entries[^1].Name : null);
    }

    private static IEnumerable<Entry> Walk(string folder, string directory, string[] after, string? leaveOut, List<string> unreadable)
    {
        foreach (var entry in List(Path.Combine(folder, directory), unreadable))
        {
            var order = after.Length == 0 ? 1 : string.CompareOrdinal(entry.Name, after[0]);
            if (order < 0)
                continue;
            var name = Path.Combine(directory, entry.Name);
            if (order > 0 && !entry.IsDirectory)
                yield return entry with { Name = name };
            if (!entry.IsDirectory || Path.Combine(folder, name) == leaveOut)
                continue;
            if (order > 0)
                yield return entry with { Name = name };
            // The directory of the cursor itself was listed before; what is in it may not have been.
            foreach (var inside in Walk(folder, name, order == 0 ? after[1..] : [], leaveOut, unreadable))
                yield return inside;
        }
    }

    private static List<Entry> List(string directory, List<string> unreadable)
    {
        try
        {
            return [.. new DirectoryInfo(directory).EnumerateFileSystemInfos("*", Everything)
                .Where(info => !info.Attributes.HasFlag(FileAttributes.ReparsePoint))
                .Select(info => new Entry(info.Name, info is DirectoryInfo))
                .Where(entry => !entry.IsDirectory || !Filled.Contains(entry.Name))
                .OrderBy(entry => entry.Name, StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            // Removed between its listing and now.
            return [];
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            unreadable.Add(directory);
            return [];
        }
    }

    private readonly record struct Entry(string Name, bool IsDirectory);
}

/// <summary>A part of a walk.</summary>
/// <param name="Files">Full paths.</param>
/// <param name="Unreadable">Directories that could not be listed.</param>
/// <param name="Last">Where the next batch goes on; null when the walk has ended.</param>
internal sealed record WalkBatch(IReadOnlyList<string> Files, IReadOnlyList<string> Unreadable, string? Last);
