using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Millrace.Tests.HouseRules;

public sealed partial class SourceTests
{
    // The stores speak SQL; nobody else does.
    private static readonly string[] stores = ["src/Millrace.Sqlite/", "src/Millrace.Postgres/"];

    private static readonly string[] textEndings =
        [".cs", ".csproj", ".props", ".slnx", ".json", ".md", ".sql", ".txt", ".yml", ".ts", ".tsx", ".css", ".html", ".sh", ".editorconfig"];

    [Fact]
    public void No_file_in_src_is_longer_than_400_lines() =>
        Source().Where(file => Repository.Read(file).AsSpan().Count('\n') > 400).ShouldBeEmpty("look for the second idea inside");

    [Fact]
    public void No_regions() => Faults(Regions()).ShouldBeEmpty("a file that needs regions holds two ideas");

    [Fact]
    public void No_open_task_without_an_issue() => Faults(OpenTasks()).ShouldBeEmpty("write it as a word, #, and the number of its issue");

    [Fact]
    public void No_sql_outside_the_stores()
    {
        var faults = Source().Where(file => !stores.Any(file.StartsWith))
            .SelectMany(file => Repository.TextsOf(Repository.Read(file)).Where(text => Sql().IsMatch(text.Text)).Select(text => $"{file}:{text.Line}"));

        faults.ShouldBeEmpty("SQL belongs into a store's files");
    }

    [Fact]
    public void Both_stores_have_the_same_operation_files()
    {
        var sqlite = Operations("src/Millrace.Sqlite", "Sqlite");
        var postgres = Operations("src/Millrace.Postgres", "Postgres");

        postgres.ShouldBe(sqlite, "a diff of two files is to show the difference of two databases");
    }

    [Fact]
    public void The_core_depends_on_these_packages_alone() =>
        XDocument.Load(Repository.PathOf("src/Millrace/Millrace.csproj")).Descendants("PackageReference").Select(package => (string?)package.Attribute("Include"))
            .ShouldBe(["Cronos", "Microsoft.Extensions.Configuration.Binder", "Microsoft.Extensions.Diagnostics.HealthChecks", "Microsoft.Extensions.Hosting.Abstractions"]);

    [Fact]
    public void Projects_depend_on_the_core_and_never_the_other_way()
    {
        Projects("src/Millrace/Millrace.csproj").ShouldBeEmpty();
        foreach (var project in Repository.Files("src", "*.csproj").Where(file => file != "src/Millrace/Millrace.csproj"))
            Projects(project).ShouldContain("Millrace.csproj", project);

        static IEnumerable<string?> Projects(string project) =>
            XDocument.Load(Repository.PathOf(project)).Descendants("ProjectReference").Select(reference => Path.GetFileName(((string?)reference.Attribute("Include"))?.Replace('\\', '/')));
    }

    [Fact]
    public void No_path_of_somebodys_machine()
    {
        var faults = Repository.Files(".").Where(file => textEndings.Contains(Path.GetExtension(file)) && !file.EndsWith("packages.lock.json", StringComparison.Ordinal))
            .SelectMany(file => Repository.Read(file).Split('\n').Select((line, i) => (line, i)).Where(row => MachinePaths().IsMatch(row.line)).Select(row => $"{file}:{row.i + 1}"));

        faults.ShouldBeEmpty("paths are relative to the repository");
    }

    [Fact]
    public void Properties_are_tried_on_the_same_cases_each_time()
    {
        var faults = Repository.Files("tests", "*.cs").Where(file => file != "tests/Shared/SeededSamples.cs").Select(file => (file, code: Repository.CodeOf(Repository.Read(file))))
            .SelectMany(source => UnseededSamples().Matches(source.code).Select(match => $"{source.file}:{Repository.LineOf(source.code, match.Index)}"));

        faults.ShouldBeEmpty("use SampleSeeded");
    }

    private static IEnumerable<string> Source() => Repository.Files("src", "*.cs");

    private static IEnumerable<string> Faults(Regex pattern) =>
        Source().SelectMany(file => pattern.Matches(Repository.Read(file)).Select(match => $"{file}:{Repository.LineOf(Repository.Read(file), match.Index)}"));

    /// <summary>The parts of the store, by the names of their files: what holds a part of the partial class.</summary>
    private static List<string> Operations(string folder, string database) =>
    [
        .. Repository.Files(folder, "*.cs").Where(file => PartsOfAStore().IsMatch(Repository.CodeOf(Repository.Read(file))))
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/').Replace(database, ""))
            .Order(StringComparer.Ordinal),
    ];

    [GeneratedRegex("""^\s*#region""", RegexOptions.Multiline)]
    private static partial Regex Regions();

    [GeneratedRegex("""\b(TODO|FIXME|HACK|XXX)\b(?!\W{0,2}#\d)""")]
    private static partial Regex OpenTasks();

    [GeneratedRegex("""\b(insert\s+into\s+\w|delete\s+from\s+\w|update\s+\w+\s+set\s|create\s+(table|index|view|schema|sequence)\s|alter\s+table\s|drop\s+(table|view)\s|select\s[^;]{0,300}\sfrom\s+\w|pg_notify)""", RegexOptions.IgnoreCase)]
    private static partial Regex Sql();

    [GeneratedRegex("""\bpartial\s+class\s+\w*JobStore\b|\bpartial\s+class\s+(Sqlite|Postgres)Store\b""")]
    private static partial Regex PartsOfAStore();

    [GeneratedRegex("""\.Sample(?!Seeded)\w*\(""")]
    private static partial Regex UnseededSamples();

    // Written so that this line is none itself.
    [GeneratedRegex("""(?<![\w.}])/(?:work|root|home|Users)/\w|[A-Z]:\\\\?Users""")]
    private static partial Regex MachinePaths();
}
