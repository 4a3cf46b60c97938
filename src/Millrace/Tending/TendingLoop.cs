using Millrace.Submitting;
using Millrace.Telemetry;
using Millrace.Working;

namespace Millrace.Tending;

/// <summary>One kind of upkeep, done by every node, in steps that can be taken by hand (the testing package does).</summary>
internal interface ITender
{
    /// <summary>For logs and the health check.</summary>
    string Name { get; }

    /// <summary>What cuts the wait short.</summary>
    Signal Wake { get; }

    /// <summary>Does what is to be done now.</summary>
    /// <returns>How long until it should look again, unless it is woken.</returns>
    Task<TimeSpan> StepAsync(CancellationToken cancellationToken);
}

/// <summary>Runs a tender for as long as the process works. A step that fails is tried again with growing pauses, for ever: no tender can stop another (G11).</summary>
internal sealed class TendingLoop(ITender tender, MillraceInstance instance)
{
    public string Name => tender.Name;

    public DateTimeOffset? LastSuccess { get; private set; }

    public int Failures { get; private set; }

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            TimeSpan pause;
            try
            {
                pause = await tender.StepAsync(stopping).ConfigureAwait(false);
                LastSuccess = instance.Time.GetUtcNow();
                if (Failures >= 3)
                    Log.LoopRecovered(instance.Log, tender.Name);
                Failures = 0;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                Failures++;
                pause = Backoff.NextDelay(Failures, Random.Shared.NextDouble(), TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10));
                if (Failures >= 3)
                {
                    var isExpected = exception is Storage.StoreException { IsTransient: true };
                    Log.LoopFailed(instance.Log, isExpected ? null : exception, tender.Name, Failures, pause, exception.Message);
                }
            }
            try
            {
                await tender.Wake.WaitAsync(pause, instance.Time, stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
        }
    }
}
