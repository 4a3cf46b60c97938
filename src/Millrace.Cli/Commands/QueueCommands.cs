using System.CommandLine;
using Millrace.Cli.Changing;
using Millrace.Cli.Output;
using Millrace.Cli.Parsing;
using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace queues list|pause|resume</c>.</summary>
internal static class QueueCommands
{
    private static readonly Argument<string> name = new("queue") { Description = "The name of a queue." };
    private static readonly PauseOptions pause = new();

    public static Command Make(Leaves leaves) => leaves.MakeGroup(
        "queues",
        "Queues: how deep they are; pause and resume them.",
        ListAsync,
        leaves.Make("list", "List queues.", ListAsync),
        leaves.Make("pause", "Stop claims from a queue, on all nodes. What runs goes on.", invocation => SetAsync(invocation, isPaused: true), name, pause.Until, pause.For),
        leaves.Make("resume", "Let claims from a queue go on.", invocation => SetAsync(invocation, isPaused: false), name));

    private static async Task<ExitCode> ListAsync(Invocation invocation)
    {
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        invocation.Write(QueueSheet.Make(time => invocation.When(time, now)), await store.Inspection.ReadQueuesAsync(invocation.Token).ConfigureAwait(false), new Members { { "now", now } });
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> SetAsync(Invocation invocation, bool isPaused)
    {
        var queue = invocation.Parsed.GetRequiredValue(name);
        var store = await invocation.OpenAsync().ConfigureAwait(false);
        var now = await store.Inspection.ReadClockAsync(invocation.Token).ConfigureAwait(false);
        var until = isPaused ? pause.Read(invocation.Parsed, now) : null;
        // A pause of a mistyped name would be kept, and do nothing.
        var known = (await store.Inspection.ReadQueuesAsync(invocation.Token).ConfigureAwait(false)).Select(record => record.Name).ToList();
        if (isPaused && !known.Contains(queue) && !invocation.IsYes)
            throw CommandException.NotFound($"No queue \"{queue}\" is known.{NearestName.Question(queue, known)} To pause it before it has its first job: --yes");
        var question = $"{(isPaused ? "Pause" : "Resume")} queue {queue} in {store.Name}";
        if (invocation.IsDryRun)
            return Toggles.Say(invocation, queue, changed: true, question + "?");
        await Confirmation.AskInProductionAsync(invocation, question).ConfigureAwait(false);
        var changed = await store.Operations.PauseQueueAsync(queue, isPaused, until, invocation.Author, invocation.Token).ConfigureAwait(false);
        if (changed && !isPaused)
            await store.RingAsync([queue], invocation.Token).ConfigureAwait(false);
        return Toggles.Say(invocation, queue, changed, (isPaused, changed) switch
        {
            (true, true) => $"Queue {queue} is paused{Toggles.Until(until, invocation)}. Its running jobs go on.",
            (true, false) => $"Queue {queue} was paused before.",
            (false, true) => $"Queue {queue} goes on.",
            _ => $"Queue {queue} was not paused.",
        });
    }
}
