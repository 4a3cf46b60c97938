namespace Millrace.Working;

/// <summary>Something has changed, look again. Set from anywhere, any number of times; one waiter, who is let through once for all of them.</summary>
internal sealed class Signal
{
    private TaskCompletionSource source = New();

    public void Set() => Volatile.Read(ref source).TrySetResult();

    /// <summary>Waits for the next <see cref="Set"/>, which may lie before the call.</summary>
    /// <returns>False when the time was up.</returns>
    public async ValueTask<bool> WaitAsync(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var current = Volatile.Read(ref source);
        if (!current.Task.IsCompleted)
        {
            if (timeout <= TimeSpan.Zero)
                return false;
            try
            {
                // Delays are at most a month or so; a longer wait is as good as one without end, which WaitAsync takes as -1 ms.
                var limit = timeout > TimeSpan.FromDays(40) ? Timeout.InfiniteTimeSpan : timeout;
                await current.Task.WaitAsync(limit, time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return false;
            }
        }
        // Armed again before the waiter looks at what changed: a Set after this line is for the next wait.
        Interlocked.CompareExchange(ref source, New(), current);
        return true;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
