using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Telemetry;

namespace Millrace.Working;

/// <summary>Sends one queue's turns, each until it is answered: a turn can be repeated (rule 7), and finished results wait here for as long as the database is away (G9). Counts what was accepted.</summary>
internal sealed class TurnSender(MillraceInstance instance, string queue)
{
    private readonly StatPage stats = instance.Stats.Open(queue);

    /// <summary>How many tries in a row have failed; 0 when the last was answered.</summary>
    public int Failed { get; private set; }

    /// <returns>Null when our node was taken for dead meanwhile.</returns>
    public async Task<TurnAnswer?> SendAsync(Turn turn, CancellationToken abandoned)
    {
        while (true)
        {
            try
            {
                var answer = await instance.Store.TurnAsync(turn, abandoned).ConfigureAwait(false);
                if (Failed >= 3)
                    Log.LoopRecovered(instance.Log, $"queue {queue}");
                Failed = 0;
                stats.Count(turn, answer);
                return answer;
            }
            catch (Exception exception) when (!abandoned.IsCancellationRequested)
            {
                // Whatever it was, the results are still in hand and must not be lost by leaving here.
                Failed++;
                var isTransient = exception is StoreException { IsTransient: true };
                var pause = Backoff.NextDelay(Failed, Random.Shared.NextDouble(), TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(isTransient ? 2 : 10));
                if (Failed >= 3)
                    Log.LoopFailed(instance.Log, isTransient ? null : exception, $"queue {queue}", Failed, pause, exception.Message);
                await Task.Delay(pause, instance.Time, abandoned).ConfigureAwait(false);
            }
            if (instance.Node.Id != turn.Node)
                return null;
            turn = turn with { IsRepeated = true };
        }
    }
}
