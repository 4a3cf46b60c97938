using Microsoft.Extensions.Logging;
using Millrace.Working;

namespace Millrace.Tending;

/// <summary>The built-in job that deletes finished jobs whose time has come, in small batches, so that no transaction is long.</summary>
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
            while (true)
            {
                var count = await instance.Patiently.RunAsync(token => instance.Store.PruneAsync(BatchSize, token), cancellationToken).ConfigureAwait(false);
                removed += count;
                if (count < BatchSize)
                    break;
                cancellationToken.ThrowIfCancellationRequested();
            }
            job.Log.LogDebug("Removed {Count} old jobs.", removed);
            return null;
        },
    };
}
