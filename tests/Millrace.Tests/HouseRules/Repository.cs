using System.Text.RegularExpressions;

namespace Millrace.Tests.HouseRules;

/// <summary>The repository's own texts, for rules that are tests.</summary>
internal static partial class Repository
{
    private static readonly string[] madeFolders = ["bin", "obj", "node_modules", ".git", "demo-data", "TestResults"];

    public static string Root { get; } = FindRoot();

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>The files below a folder of the repository, without what builds make. Paths are relative, with forward slashes.</summary>
    public static IEnumerable<string> Files(string folder, string pattern = "*")
    {
        var start = PathOf(folder);
        if (!Directory.Exists(start))
            return [];
        return Walk(start, pattern).Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/')).Order(StringComparer.Ordinal);
    }

    public static string Read(string relative) => File.ReadAllText(PathOf(relative));

    /// <summary>C# with comments and the contents of texts blanked; every line stays where it was.</summary>
    public static string CodeOf(string source) => CommentsAndTexts().Replace(source, Blank);

    /// <summary>The texts of a C# source, without comments.</summary>
    public static IEnumerable<(string Text, int Line)> TextsOf(string source) =>
        CommentsAndTexts().Matches(source).Where(match => !match.Value.StartsWith('/')).Select(match => (match.Value, LineOf(source, match.Index)));

    public static int LineOf(string source, int index) => source.AsSpan(0, index).Count('\n') + 1;

    private static string Blank(Match match) => new([.. match.Value.Select(c => c == '\n' ? '\n' : ' ')]);

    private static IEnumerable<string> Walk(string folder, string pattern) =>
        Directory.EnumerateFiles(folder, pattern).Concat(
            Directory.EnumerateDirectories(folder).Where(child => !madeFolders.Contains(Path.GetFileName(child))).SelectMany(child => Walk(child, pattern)));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Millrace.slnx")))
                return folder.FullName;
        throw new InvalidOperationException("The tests do not lie inside the repository: no Millrace.slnx above them.");
    }

    // Raw texts first, then line and block comments, verbatim and plain texts, characters.
    [GeneratedRegex("""(?<q>"{3,}).*?\k<q>|//[^\n]*|/\*.*?\*/|\$?@\$?"(?:[^"]|"")*"|"(?:\\.|[^"\\\n])*"|'(?:\\.[^'\n]*|[^'\\\n])'""", RegexOptions.Singleline)]
    private static partial Regex CommentsAndTexts();
}
