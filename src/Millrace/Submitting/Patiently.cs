using Millrace.Storage;

namespace Millrace.Submitting;

/// <summary>Repeats an operation of the store that met a passing fault, for at most <see cref="MillraceOptions.SubmitTimeout"/>. All operations of a store can be repeated.</summary>
internal sealed class Patiently(MillraceOptions options, TimeProvider time)
{
    public Task<TValue> RunAsync<TValue>(Func<CancellationToken, Task<TValue>> operation, CancellationToken cancellationToken) =>
        RunAsync(operation, options.SubmitTimeout, cancellationToken);

    /// <summary>As long as it takes.</summary>
    public Task<TValue> RunForeverAsync<TValue>(Func<CancellationToken, Task<TValue>> operation, CancellationToken cancellationToken) =>
        RunAsync(operation, TimeSpan.MaxValue, cancellationToken);

    private async Task<TValue> RunAsync<TValue>(Func<CancellationToken, Task<TValue>> operation, TimeSpan limit, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await operation(cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException exception) when (exception.IsTransient && time.GetElapsedTime(began) < limit)
            {
                await Task.Delay(Backoff.NextDelay(tries, Random.Shared.NextDouble(), TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(1)), time, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
