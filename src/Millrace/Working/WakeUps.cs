using System.Collections.Concurrent;
using Millrace.Storage;

namespace Millrace.Working;

/// <summary>Who in this process is to be woken by what. A wake-up is a hint: everything that waits here also looks by itself from time to time.</summary>
internal sealed class WakeUps
{
    private readonly ConcurrentDictionary<string, Action> queues = new(StringComparer.Ordinal);

    /// <summary>A scheduled job may be due earlier than the promoter thinks.</summary>
    public Signal Scheduled { get; } = new();

    /// <summary>A schedule may be due earlier than the ticker thinks.</summary>
    public Signal Schedules { get; } = new();

    /// <summary>A node is known to be dead: its leases can be taken back now.</summary>
    public Signal Dead { get; } = new();

    /// <summary>The look-out should look now.</summary>
    public Signal LookOut { get; } = new();

    /// <summary>Passes on that there is something to claim; for the children of this process.</summary>
    public Action? Elsewhere { get; set; }

    /// <summary>Somebody asked to cancel a running job.</summary>
    public Signal Cancels { get; } = new();

    /// <summary>There is something for who listens to events.</summary>
    public Signal Events { get; } = new();

    public void Watch(string queue, Action wake) => queues[queue] = wake;

    /// <summary>A queue has something to claim.</summary>
    public void Ready(string queue)
    {
        if (queues.TryGetValue(queue, out var wake))
            wake();
        Elsewhere?.Invoke();
    }

    public void Ready(IEnumerable<string> names)
    {
        foreach (var name in names)
            Ready(name);
    }

    /// <summary>These jobs are stored and committed.</summary>
    public void Submitted(IReadOnlyList<NewJob> jobs)
    {
        string? last = null;
        foreach (var job in jobs)
        {
            if (job.Due is not null || job.Delay > TimeSpan.Zero)
                Scheduled.Set();
            else if (job.Queue != last)
                Ready(last = job.Queue);
        }
    }

    /// <summary>A ring of the bell: queue names, "!" for a cancel request, and "@" for an event (which may be a queue's name too).</summary>
    public void Rung(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (name == "!")
                Cancels.Set();
            else if (name == "@")
                Events.Set();
            Ready(name);
        }
    }
}
