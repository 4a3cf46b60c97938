using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Dashboard.Watching;

/// <summary>What the overview needs and what changes slowly: read every ten seconds, not at each look.</summary>
internal sealed class Slowly(MillraceInstance instance)
{
    private static readonly TimeSpan keep = TimeSpan.FromSeconds(10);

    private readonly Kept<IReadOnlyList<ScheduleRecord>> schedules = new(instance.Time, keep);
    // As far back as charts go.
    private static readonly TimeSpan deploymentsBack = TimeSpan.FromDays(92);

    private readonly Kept<IReadOnlyList<Deployment>> deployments = new(instance.Time, keep);
    private readonly Kept<IReadOnlyList<StatRow>> stats = new(instance.Time, keep);

    public Task<IReadOnlyList<ScheduleRecord>> SchedulesAsync(CancellationToken cancellationToken) =>
        schedules.GetAsync(() => instance.Store.Inspection.ReadSchedulesAsync(cancellationToken));

    public Task<IReadOnlyList<Deployment>> DeploymentsAsync(CancellationToken cancellationToken) =>
        deployments.GetAsync(() => instance.Store.Inspection.ReadDeploymentsAsync(instance.Time.GetUtcNow() - deploymentsBack, cancellationToken));

    public Task<IReadOnlyList<StatRow>> StatsAsync(StatQuery query, CancellationToken cancellationToken) =>
        stats.GetAsync(() => instance.Store.Inspection.ReadStatsAsync(query, cancellationToken));

    // Two that come at once both read: the answers before this one are kept already, so that is rare.
    private sealed class Kept<T>(TimeProvider time, TimeSpan life)
        where T : class
    {
        private volatile Entry? entry;

        public async Task<T> GetAsync(Func<Task<T>> read)
        {
            if (entry is { } now && time.GetElapsedTime(now.Read) < life)
                return now.Value;
            var value = await read().ConfigureAwait(false);
            entry = new Entry(value, time.GetTimestamp());
            return value;
        }

        private sealed record Entry(T Value, long Read);
    }
}
