using Microsoft.Extensions.Logging;
using Millrace.Working;

namespace Millrace.Tending;

/// <summary>The built-in job that deletes finished jobs whose time has come, in small batches, so that no transaction is long, and with rests while jobs are in line.</summary>
internal static class RemoveOldWorkerJobs
{
    public const string TypeName = "removeOldWorkerJobs";

    private const int BatchSize = 500;

    public static JobType TypeFor(MillraceInstance instance) => new()
    {
        Name = TypeName,
        DataType = typeof(object),
        HandlerType = null,
        MakeContext = (attempt, _) => new JobContext<object?>(attempt, null),
        Run = async (job, _, cancellationToken) =>
        {
            var removed = 0;
            var began = instance.Time.GetTimestamp();
            while (true)
            {
                var batch = instance.Time.GetTimestamp();
                var count = await instance.Patiently.RunAsync(token => instance.Store.PruneAsync(BatchSize, token), cancellationToken).ConfigureAwait(false);
                removed += count;
                if (count < BatchSize)
                    break;
                // Where jobs run one at a time it would only keep the next one waiting.
                var isBusy = !instance.Idleness.IsAtEnd && instance.Loops.Sum(static loop => loop.Concurrency) > 1;
                var rest = PrunePace.RestAfter(instance.Time.GetElapsedTime(batch), instance.Time.GetElapsedTime(began), isBusy);
                await Task.Delay(rest, instance.Time, cancellationToken).ConfigureAwait(false);
            }
            job.Log.LogDebug("Removed {Count} old jobs.", removed);
            return null;
        },
    };
}
