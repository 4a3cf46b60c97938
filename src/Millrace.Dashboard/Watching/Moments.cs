using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Dashboard.Watching;

/// <summary>What has to be counted, and is shown on several pages: counted once for all of them. While that takes long it is done less often.</summary>
internal sealed class Moments(MillraceInstance instance)
{
    private readonly Counted<JobCounts> counts = new(instance.Time);
    private readonly Counted<IReadOnlyList<QueueRecord>> queues = new(instance.Time);

    public Task<JobCounts> CountsAsync(CancellationToken cancellationToken) => counts.GetAsync(() => instance.Store.Inspection.CountAsync(cancellationToken));

    public Task<IReadOnlyList<QueueRecord>> QueuesAsync(CancellationToken cancellationToken) => queues.GetAsync(() => instance.Store.Inspection.ReadQueuesAsync(cancellationToken));

    /// <summary>For how long what was counted is still given.</summary>
    public TimeSpan Left => counts.Left > queues.Left ? counts.Left : queues.Left;

    public void Forget()
    {
        counts.Forget();
        queues.Forget();
    }

    // Two that come at once both count: the answers before this one are kept already, so that is rare.
    private sealed class Counted<T>(TimeProvider time)
        where T : class
    {
        private volatile Entry? last;
        private volatile bool isForgotten;

        public TimeSpan Left => last is { } entry && !isForgotten ? entry.Life - time.GetElapsedTime(entry.Began) : TimeSpan.Zero;

        public async Task<T> GetAsync(Func<Task<T>> count)
        {
            var before = last;
            if (before is not null && Left > TimeSpan.Zero)
                return before.Value;
            isForgotten = false;
            var began = time.GetTimestamp();
            var value = await count().ConfigureAwait(false);
            var took = time.GetElapsedTime(began);
            last = new Entry(value, began, took, Dear.LifeOf(before?.Took ?? TimeSpan.Zero, took));
            return value;
        }

        public void Forget() => isForgotten = true;

        private sealed record Entry(T Value, long Began, TimeSpan Took, TimeSpan Life);
    }
}
