using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Tending;

/// <summary>Stores the log lines and the last word about progress of attempts that run for long, so that people can read along, and the counts of what has ended; refreshes the figures that metrics show.</summary>
internal sealed class Scribe(MillraceInstance instance) : ITender
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan DepthsInterval = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan StatsInterval = TimeSpan.FromSeconds(5);

    private long? depthsRead;
    private long? statsSaved;

    public string Name => "write logs";

    public Signal Wake { get; } = new();

    public async Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        List<LogLine> lines = [];
        foreach (var attempt in instance.Running.All)
            lines.AddRange(attempt.Lines.Take());
        if (lines.Count > 0)
            await instance.Patiently.RunAsync(
                async token =>
                {
                    await instance.Store.SaveLogAsync(lines, token).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        foreach (var attempt in instance.Running.All)
            await attempt.SaveUnsavedProgressAsync(cancellationToken).ConfigureAwait(false);
        if (instance.Telemetry.WantsDepths && (depthsRead is not { } read || instance.Time.GetElapsedTime(read) >= DepthsInterval))
        {
            depthsRead = instance.Time.GetTimestamp();
            var depths = await instance.Store.ReadDepthsAsync(cancellationToken).ConfigureAwait(false);
            instance.Telemetry.Depths(depths, await instance.Store.ReadClockAsync(cancellationToken).ConfigureAwait(false));
        }
        // The last: a failure is tried again with the next step, and keeps nothing else from being written.
        if (statsSaved is not { } saved || instance.Time.GetElapsedTime(saved) >= StatsInterval)
        {
            await instance.Stats.SaveAsync(instance.Store, cancellationToken).ConfigureAwait(false);
            statsSaved = instance.Time.GetTimestamp();
        }

        return Interval;
    }
}
