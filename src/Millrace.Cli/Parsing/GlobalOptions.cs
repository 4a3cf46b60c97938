using System.CommandLine;
using Millrace.Cli.Output;

namespace Millrace.Cli.Parsing;

/// <summary>The options that every command has.</summary>
internal sealed class GlobalOptions
{
    public Option<string?> Connection { get; } = new("--connection", "-c") { HelpName = "connection", Description = "The database: a connection string or URI of PostgreSQL, or the path of a SQLite file.", Recursive = true };

    public Option<string?> Profile { get; } = new("--profile") { HelpName = "name", Description = "The database of a stored profile (see millrace profile).", Recursive = true };

    public Option<string?> Schema { get; } = new("--schema") { HelpName = "name", Description = "PostgreSQL's schema of Millrace's tables. millrace unless the target says otherwise.", Recursive = true };

    public Option<OutputFormat> Output { get; } = new("--output", "-o") { HelpName = "format", Description = "table, json, csv or id.", Recursive = true };

    public Option<bool> Json { get; } = new("--json") { Description = "One versioned JSON document, the same as -o json.", Recursive = true };

    public Option<bool> NdJson { get; } = new("--ndjson") { Description = "One JSON object on each line, as soon as it is known.", Recursive = true };

    public Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "Nothing on standard error but errors.", Recursive = true };

    public Option<bool> NoColor { get; } = new("--no-color") { Description = "No colours. NO_COLOR does the same.", Recursive = true };

    public Option<bool> Yes { get; } = new("--yes", "-y") { Description = "Do not ask.", Recursive = true };

    public Option<bool> DryRun { get; } = new("--dry-run") { Description = "Say what would be done, and change nothing.", Recursive = true };

    public Option<string?> Reason { get; } = new("--reason") { HelpName = "text", Description = "Why, for the audit.", Recursive = true };

    public Option<int?> Limit { get; } = new("--limit") { HelpName = "n", Description = "How many rows, or jobs to change, at most.", Recursive = true };

    public Option<TimeSpan?> Timeout { get; } = Span(new("--timeout") { HelpName = "span", Description = "How long the command may take, such as 30s. Then it ends with code 7.", Recursive = true });

    public Option<bool> Utc { get; } = new("--utc") { Description = "Times in UTC and written out. Otherwise tables tell how long ago they are.", Recursive = true };

    public IReadOnlyList<Option> All => [Connection, Profile, Schema, Output, Json, NdJson, Quiet, NoColor, Yes, DryRun, Reason, Limit, Timeout, Utc];

    /// <summary>Lets an option take <c>10m</c>.</summary>
    public static Option<TimeSpan?> Span(Option<TimeSpan?> option)
    {
        option.CustomParser = result =>
        {
            try
            {
                return Spans.Parse(result.Tokens[0].Value);
            }
            catch (FormatException exception)
            {
                result.AddError($"{option.Name}: {exception.Message}");
                return null;
            }
        };
        return option;
    }
}
