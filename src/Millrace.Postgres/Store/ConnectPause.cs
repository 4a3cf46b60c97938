using Millrace.Storage;

namespace Millrace.Postgres;

/// <summary>
/// After a connection that could not be made: for a moment everybody is told the same, without another try. A process has many loops and submitters, each with pauses of its
/// own that grow; together, and times the number of processes, they would be a storm on a server that is just coming up.
/// </summary>
internal sealed class ConnectPause
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(300);

    // Real time, also under a test's clock: this spares the database and decides nothing.
    private readonly TimeProvider time = TimeProvider.System;
    private StoreException? failure;
    private long began;
    private TimeSpan length;

    public void ThrowIfItLasts()
    {
        if (failure is { } last && time.GetElapsedTime(began) < length)
            throw new StoreException(last.Fault, last.Message, last.InnerException);
    }

    /// <summary>Begins it, with a length that differs from process to process.</summary>
    public StoreException After(StoreException exception)
    {
        failure = exception;
        began = time.GetTimestamp();
        length = Shortest * (1 + Random.Shared.NextDouble());
        return exception;
    }
}
