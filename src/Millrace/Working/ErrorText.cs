using System.Text;

namespace Millrace.Working;

/// <summary>An exception as the column <c>attempt.error</c> keeps it.</summary>
internal static class ErrorText
{
    // More than these says nothing new, and an exception may even contain itself.
    private const int MaxExceptions = 8;

    /// <summary>
    /// Type, message and stack, then those of the exceptions inside it, at most 16 KB. Messages come first when room is short: a stack is
    /// cut before any message. Secrets are masked. Never throws, even if the exception's own members do.
    /// </summary>
    public static string Of(Exception exception, int limitInBytes = Sanitiser.MaxErrorInBytes)
    {
        var chain = new List<(Exception Exception, int Depth)>();
        Collect(exception, 0, chain);
        var heads = chain.Select((link, i) => Head(link.Exception, link.Depth, limitInBytes / (i == 0 ? 2 : 4 * MaxExceptions))).ToList();
        // Each head and stack ends its line.
        var room = limitInBytes - heads.Sum(head => Encoding.UTF8.GetByteCount(head) + 1);
        var text = new StringBuilder();
        for (var i = 0; i < chain.Count; i++)
        {
            var link = chain[i].Exception;
            var share = room / (chain.Count - i);
            var stack = share < 64 ? "" : Sanitiser.TextWithoutSecrets(Read(() => link.StackTrace, "StackTrace"), share - 1);
            text.Append(heads[i]).Append('\n');
            if (stack.Length == 0)
                continue;
            text.Append(stack).Append('\n');
            room -= Encoding.UTF8.GetByteCount(stack) + 1;
        }

        return Sanitiser.Text(text.ToString().TrimEnd('\n'), limitInBytes);
    }

    private static void Collect(Exception exception, int depth, List<(Exception Exception, int Depth)> chain)
    {
        if (chain.Count == MaxExceptions || chain.Any(link => ReferenceEquals(link.Exception, exception)))
            return;
        chain.Add((exception, depth));
        if (exception is AggregateException several)
            foreach (var inner in several.InnerExceptions)
                Collect(inner, depth + 1, chain);
        else if (exception.InnerException is { } inner)
            Collect(inner, depth + 1, chain);
    }

    private static string Head(Exception exception, int depth, int limitInBytes)
    {
        var type = Sanitiser.Text($"{(depth == 0 ? "" : "caused by ")}{exception.GetType()}: ", limitInBytes);
        return type + Sanitiser.TextWithoutSecrets(Read(() => exception.Message, "Message"), limitInBytes - Encoding.UTF8.GetByteCount(type));
    }

    private static string? Read(Func<string?> member, string name)
    {
        try
        {
            return member();
        }
        catch (Exception fault)
        {
            return $"({name} could not be read: it threw {fault.GetType()})";
        }
    }
}
