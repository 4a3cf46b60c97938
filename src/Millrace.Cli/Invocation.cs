using System.CommandLine;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;
using Millrace.Cli.Targets;
using Millrace.Storage;

namespace Millrace.Cli;

/// <summary>One run of one command: what was asked for, the database, and where the answer goes.</summary>
internal sealed class Invocation(ParseResult parsed, GlobalOptions globals, Terminal terminal, CancellationToken cancellationToken) : IAsyncDisposable
{
    private readonly CancellationTokenSource timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

    private IJobStore? store;
    private Target? target;

    public ParseResult Parsed => parsed;

    public Terminal Terminal => terminal;

    public TimeProvider Time => TimeProvider.System;

    /// <summary>Ends when a person interrupts, or the time given by --timeout is over.</summary>
    public CancellationToken Token => timeout.Token;

    /// <summary>A person has interrupted.</summary>
    public CancellationToken Interrupted => cancellationToken;

    public OutputFormat Format => parsed.GetValue(globals.Json) || IsStream ? OutputFormat.Json : parsed.GetValue(globals.Output);

    /// <summary>One JSON object on each line.</summary>
    public bool IsStream => parsed.GetValue(globals.NdJson);

    public bool IsQuiet => parsed.GetValue(globals.Quiet);

    public bool IsUtc => parsed.GetValue(globals.Utc);

    public bool IsYes => parsed.GetValue(globals.Yes);

    public bool IsDryRun => parsed.GetValue(globals.DryRun);

    public int? Limit => parsed.GetValue(globals.Limit);

    public TimeSpan? Timeout => parsed.GetValue(globals.Timeout);

    public Author Author { get; } = new($"{Environment.UserName}@{Environment.MachineName}", "cli", parsed.GetValue(globals.Reason));

    public string? Schema => parsed.GetValue(globals.Schema);

    public TargetFinder Finder { get; } = TargetFinder.OfProcess();

    public Target Target => target ??= Finder.Find(parsed.GetValue(globals.Connection), parsed.GetValue(globals.Profile), Schema);

    public void Begin()
    {
        if (parsed.GetValue(globals.NoColor))
            terminal.ForbidColour();
        if (Limit is < 1)
            throw CommandException.Usage($"--limit must be 1 or more; it is {Limit}.");
        if (Timeout is { } span)
            timeout.CancelAfter(span);
    }

    /// <summary>The store of the target, its schema checked.</summary>
    /// <exception cref="CommandException">It cannot be reached, or its schema is older or newer than this tool.</exception>
    public async Task<IJobStore> OpenAsync()
    {
        var opened = OpenUnchecked();
        await SchemaCheck.CheckAsync(opened, Token).ConfigureAwait(false);
        return opened;
    }

    /// <summary>The store of the target, whatever its schema.</summary>
    /// <param name="mayBeMade">A SQLite file that is not there will be made.</param>
    public IJobStore OpenUnchecked(bool mayBeMade = false)
    {
        if (store is not null)
            return store;
        // SQLite would make the file, and a mistyped name would look like an empty database.
        if (!mayBeMade && Target.Kind == TargetKind.Sqlite && !File.Exists(Target.Connection))
            throw new CommandException(ExitCode.CannotConnect, $"There is no file {Target.Connection} ({Target.Source}). To make it: millrace db migrate");
        store = Stores.Make(Target);
        if (!IsQuiet)
            terminal.Say($"{Neutral.Line(store.Name)} ({Neutral.Line(Target.Source)})", Target.IsProduction ? Ink.Red : Ink.Dim);
        return store;
    }

    /// <summary>Something for people on standard error, unless they want it quiet.</summary>
    public void Say(string line, Ink ink = Ink.Plain)
    {
        if (IsQuiet)
            return;
        // Both streams may end on one screen: in the order in which they were written.
        terminal.Flush();
        terminal.Say(line, ink);
    }

    /// <summary>Rows, in the format that was asked for.</summary>
    /// <param name="sheet">How they are shown.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="more">Further members of the document.</param>
    public void Write<T>(Sheet<T> sheet, IReadOnlyList<T> rows, Members? more = null)
    {
        switch (Format)
        {
            case OutputFormat.Json when IsStream:
                WriteLines(sheet, rows);
                break;
            case OutputFormat.Json:
                var document = new Members { { "schema", sheet.Schema } };
                foreach (var (name, value) in more ?? [])
                    document.Add(name, value);
                document.Add(sheet.Member, rows.Select(sheet.Of));
                terminal.Out.WriteLine(JsonDocumentWriter.Write(document, indented: true));
                break;
            case OutputFormat.Csv:
                CsvWriter.Write(terminal.Out, sheet, rows);
                break;
            case OutputFormat.Id:
                foreach (var row in rows)
                    terminal.Out.WriteLine(Neutral.Line(sheet.Id(row)));
                break;
            default:
                TableWriter.Write(terminal, sheet, rows);
                break;
        }
    }

    /// <summary>Rows of a stream: one JSON object on each line.</summary>
    public void WriteLines<T>(Sheet<T> sheet, IEnumerable<T> rows)
    {
        foreach (var row in rows)
            terminal.Out.WriteLine(JsonDocumentWriter.Write(sheet.Of(row), indented: false));
    }

    /// <summary>One thing, in the format that was asked for.</summary>
    /// <param name="schema">The document's name.</param>
    /// <param name="id">What <c>-o id</c> prints; null when it has none.</param>
    /// <param name="members">For JSON.</param>
    /// <param name="write">For people.</param>
    public void Write(string schema, string? id, Members members, Action<Page> write)
    {
        switch (Format)
        {
            case OutputFormat.Json:
                var document = new Members { { "schema", schema } };
                foreach (var (name, value) in members)
                    document.Add(name, value);
                terminal.Out.WriteLine(JsonDocumentWriter.Write(document, indented: !IsStream));
                break;
            case OutputFormat.Id when id is not null:
                terminal.Out.WriteLine(Neutral.Line(id));
                break;
            case OutputFormat.Table:
                write(new Page(terminal));
                break;
            default:
                throw CommandException.Usage($"This command has no output of the format {Format.ToString().ToLowerInvariant()}. Use table or json.");
        }
    }

    /// <summary>A time in a table: how long ago it is, or written out with --utc.</summary>
    public string? When(DateTimeOffset? time, DateTimeOffset now) =>
        time is not { } known ? null : IsUtc ? Words.Time(known, isUtc: true) : Words.Away(known, now);

    public async ValueTask DisposeAsync()
    {
        if (store is not null)
            await store.DisposeAsync().ConfigureAwait(false);
        timeout.Dispose();
    }
}
