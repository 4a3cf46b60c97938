using System.CommandLine;
using System.Globalization;
using Millrace.Cli.Changing;
using Millrace.Cli.Live;
using Millrace.Cli.Moving;
using Millrace.Cli.Output;
using Millrace.Cli.Targets;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace move --from SQLITE --to POSTGRES</c>: everything, ids kept; goes on where it was interrupted.</summary>
internal static class MoveCommand
{
    private static readonly Option<string> from = new("--from") { HelpName = "file", Description = "The SQLite file.", Required = true };
    private static readonly Option<string> to = new("--to") { HelpName = "connection", Description = "The PostgreSQL database: a connection string, a URI, or the name of a profile. Its tables are made when they are missing.", Required = true };
    private static readonly Option<bool> restart = new("--restart") { Description = "Take back what an unfinished move has left at the target, and begin again." };
    private static readonly Option<bool> forceLiving = new("--force-living") { Description = "Although processes are using one of the databases." };
    private static readonly Option<bool> forceRunning = new("--force-running") { Description = "Although jobs are said to be running: they run again at the target." };
    private static readonly Option<bool> noPause = new("--no-pause") { Description = "Do not pause the queues and schedules of the source in the end." };

    public static Command Make(Leaves leaves) => leaves.Make("move", "Move everything from a SQLite file to PostgreSQL. Goes on where it was interrupted.", RunAsync, from, to, restart, forceLiving, forceRunning, noPause);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var parsed = invocation.Parsed;
        var (here, there) = (Target.Of(parsed.GetRequiredValue(from), null, "--from"), ToOf(parsed.GetRequiredValue(to), invocation.Schema));
        if (here.Kind != TargetKind.Sqlite || there.Kind != TargetKind.Postgres)
            throw CommandException.Usage("A move goes from a SQLite file (--from) to PostgreSQL (--to).");
        if (!File.Exists(here.Connection))
            throw new CommandException(ExitCode.CannotConnect, $"There is no file {here.Connection} (--from).");
        await using var oldStore = Stores.Make(here);
        await using var newStore = Stores.Make(there);
        invocation.Say($"from {oldStore.Name}\nto   {newStore.Name}", there.IsProduction ? Ink.Red : Ink.Dim);
        await SchemaCheck.CheckAsync(oldStore, invocation.Token).ConfigureAwait(false);
        await MoveGuard.CheckAsync(invocation, oldStore, parsed.GetValue(forceLiving), parsed.GetValue(forceRunning)).ConfigureAwait(false);
        var source = (IMoveSource)oldStore;
        var counts = await Mover.CountAsync(source, invocation.Token).ConfigureAwait(false);
        var jobs = counts.First(count => count.Table.Name == "job").Rows;
        var question = $"Move {Words.Jobs(jobs)} from {oldStore.Name} to {newStore.Name}";
        if (invocation.IsDryRun)
            return Say(invocation, counts, question + "?");

        await Confirmation.AskAsync(invocation, question, jobs).ConfigureAwait(false);
        await MoveAsync(invocation, oldStore, newStore, counts).ConfigureAwait(false);
        if (!parsed.GetValue(noPause))
            await PauseAsync(invocation, oldStore, newStore.Name).ConfigureAwait(false);
        return Say(invocation, counts, $"{Words.Jobs(jobs)} stand in {newStore.Name} now, with their ids.{(parsed.GetValue(noPause) ? "" : " The queues and schedules of the source are paused, so that nothing runs twice.")}");
    }

    private static Target ToOf(string text, string? schema) => ProfileFile.OfUser().Find(text) is { } profile
        ? Target.Of(profile.Connection, schema ?? profile.Schema, $"profile {text}", profile.IsProduction)
        : Target.Of(text, schema, "--to");

    private static async Task MoveAsync(Invocation invocation, IJobStore oldStore, IJobStore newStore, IReadOnlyList<MovedCount> counts)
    {
        var (parsed, target) = (invocation.Parsed, (IMoveTarget)newStore);
        try
        {
            await newStore.MigrateAsync(apply: true, invocation.Token).ConfigureAwait(false);
        }
        catch (StoreException exception) when (exception.Fault == StoreFault.Unavailable)
        {
            throw new CommandException(ExitCode.CannotConnect, exception.Message);
        }

        await MoveGuard.CheckAsync(invocation, newStore, parsed.GetValue(forceLiving), mayRun: false).ConfigureAwait(false);
        if (parsed.GetValue(restart))
            await target.AbandonMoveAsync(invocation.Token).ConfigureAwait(false);
        if (await target.ReadMoveAsync(invocation.Token).ConfigureAwait(false) is not null)
            invocation.Say("An earlier move was interrupted. It goes on.", Ink.Yellow);
        if (!await target.BeginMoveAsync(oldStore.Name, invocation.Token).ConfigureAwait(false))
        {
            throw CommandException.Refused(await target.ReadMoveAsync(invocation.Token).ConfigureAwait(false) is { } other
                ? $"{newStore.Name} holds what an unfinished move from {other} has left. Nothing was changed. To take that back first: --restart"
                : $"{newStore.Name} holds jobs or schedules already. Nothing was changed. Move into a schema that holds none (--schema), or delete them first.");
        }

        await ProgressLine.RunAsync(invocation, "Move", counts.Sum(count => count.Rows), async progress =>
        {
            await new Mover((IMoveSource)oldStore, target, progress).RunAsync(invocation.Token).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
    }

    private static async Task PauseAsync(Invocation invocation, IJobStore store, string newName)
    {
        var author = invocation.Author with { Reason = $"Moved to {newName}." };
        foreach (var queue in await store.Inspection.ReadQueuesAsync(invocation.Token).ConfigureAwait(false))
            await store.Operations.PauseQueueAsync(queue.Name, isPaused: true, null, author, invocation.Token).ConfigureAwait(false);
        foreach (var record in await store.Inspection.ReadSchedulesAsync(invocation.Token).ConfigureAwait(false))
            await store.Operations.PauseScheduleAsync(record.Schedule.Name, isPaused: true, null, author, invocation.Token).ConfigureAwait(false);
    }

    private static ExitCode Say(Invocation invocation, IReadOnlyList<MovedCount> counts, string sentence)
    {
        var tables = new Members();
        foreach (var count in counts)
            tables.Add(count.Table.Name, count.Rows);
        invocation.Write("millrace.move.v1", null, new Members { { "rows", tables } }, page =>
        {
            foreach (var count in counts.Where(count => count.Rows > 0))
                page.Pair(count.Table.Name, count.Rows.ToString("N0", CultureInfo.InvariantCulture));
            page.Line(sentence);
        });
        return ExitCode.Ok;
    }
}
