using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Cli.Output;

/// <summary>Queues in lists. The names are those of the dashboard's API.</summary>
internal static class QueueSheet
{
    private const int Cap = JobCounts.Cap;

    public static Sheet<QueueRecord> Make(Func<DateTimeOffset?, string?> when) => new(
        "millrace.queues.v1",
        "queues",
        queue => queue.Name,
        [
            new("name", "QUEUE", queue => queue.Name),
            new("ready", "READY", queue => queue.Ready) { IsRight = true, Text = queue => Words.Count(queue.Ready, Cap) },
            new("oldestReady", "OLDEST", queue => queue.OldestReady) { Text = queue => when(queue.OldestReady) },
            new("running", "RUNNING", queue => queue.Running) { IsRight = true },
            new("scheduled", "SCHEDULED", queue => queue.Scheduled) { IsRight = true, Text = queue => Words.Count(queue.Scheduled, Cap) },
            new("waiting", "WAITING", queue => queue.Waiting) { IsRight = true, Text = queue => Words.Count(queue.Waiting, Cap) },
            new("endsPerMinute", "PER MINUTE", queue => queue.EndsPerMinute) { IsRight = true },
            new("arrivalsPerMinute", null, queue => queue.ArrivalsPerMinute),
            new("failedLastHour", "FAILED 1H", queue => queue.FailedLastHour) { IsRight = true, Ink = queue => queue.FailedLastHour > 0 ? Ink.Red : Ink.Plain },
            new("nodes", "NODES", queue => queue.Nodes) { IsRight = true, Ink = queue => queue is { Nodes: 0, Ready: > 0 } ? Ink.Red : Ink.Plain },
            new("pause", "PAUSED", queue => queue.Pause is { } pause ? Pauses.Of(pause) : null) { Text = queue => queue.Pause is { } pause ? Pauses.Say(pause, when) : null, Ink = _ => Ink.Yellow, IsElastic = true },
            new("emptyInMs", null, queue => Drain.Of(queue).EmptyIn),
            new("growsPerMinute", null, queue => Drain.Of(queue).GrowsPerMinute),
        ]);
}

/// <summary>Pauses, of whatever it is.</summary>
internal static class Pauses
{
    public static Members Of(Pause pause) => new() { { "since", pause.Since }, { "by", pause.By }, { "reason", pause.Reason is { } reason ? Inspecting.Redactor.Text(reason) : null }, { "until", pause.Until } };

    public static string Say(Pause pause, Func<DateTimeOffset?, string?> when) =>
        $"{when(pause.Since)}{(pause.By is { } by ? $" by {by}" : "")}{(pause.Until is { } until ? $" until {when(until)}" : "")}{(pause.Reason is { } reason ? $": {Inspecting.Redactor.Text(reason)}" : "")}";
}
