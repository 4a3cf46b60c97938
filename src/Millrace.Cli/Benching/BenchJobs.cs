namespace Millrace.Cli.Benching;

/// <summary>A job that does nothing, and says when it began to.</summary>
[Job("bench")]
internal sealed record BenchJob(int Number);

/// <summary>What the handler of <see cref="BenchJob"/> tells the measurement.</summary>
internal sealed class BenchSignals
{
    private long ran;
    private TaskCompletionSource<long> next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How many have run.</summary>
    public long Ran => Interlocked.Read(ref ran);

    /// <summary>Waits for the next job that begins.</summary>
    /// <returns>The timestamp of its beginning.</returns>
    public Task<long> Next => next.Task;

    public void Expect() => next = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Run(TimeProvider time)
    {
        Interlocked.Increment(ref ran);
        next.TrySetResult(time.GetTimestamp());
    }
}
