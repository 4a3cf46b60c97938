using Millrace.Working;

namespace Millrace.Tending;

/// <summary>Passes requests to cancel on to the attempts that run here.</summary>
internal sealed class CancelWatcher(MillraceInstance instance) : ITender
{
    public string Name => "cancel";

    public Signal Wake => instance.WakeUps.Cancels;

    public async Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        var running = instance.Running.JobIds;
        if (running.Count > 0)
        {
            foreach (var request in await instance.Store.ReadCancelRequestsAsync(running, cancellationToken).ConfigureAwait(false))
                instance.Running.Find(request.JobId)?.Stop(StopReason.Cancelled, Describe(request.By, request.Reason));
        }
        // Woken by the bell or by the look-out; never by itself.
        return TimeSpan.FromHours(1);
    }

    private static string Describe(string? by, string? reason) => (by, reason) switch
    {
        (null, null) => "Somebody cancelled the job.",
        (null, _) => $"The job was cancelled: {reason}",
        (_, null) => $"{by} cancelled the job.",
        _ => $"{by} cancelled the job: {reason}",
    };
}
