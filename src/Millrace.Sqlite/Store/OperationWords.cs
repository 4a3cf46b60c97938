using Millrace.Storage;

namespace Millrace.Sqlite;

/// <summary>The stored word of an operation's kind: the member's name in lower case, its words joined by an underscore.</summary>
internal static class OperationWords
{
    private static readonly Dictionary<string, OperationKind> Kinds = Enum.GetValues<OperationKind>().ToDictionary(ToWord, StringComparer.Ordinal);

    public static string ToWord(this OperationKind kind) =>
        string.Concat($"{kind}".Select((letter, i) => i > 0 && char.IsAsciiLetterUpper(letter) ? $"_{char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));

    /// <exception cref="FormatException">The word is none of them.</exception>
    public static OperationKind ToKind(string word) => Kinds.TryGetValue(word, out var kind)
        ? kind
        : throw new FormatException($"\"{word}\" is not a kind of operation. Was the row written by a newer version?");
}
