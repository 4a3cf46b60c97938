using Millrace.Storage;

namespace Millrace.Working;

/// <summary>How an attempt ends, decided from what came out of it. Pure.</summary>
internal readonly record struct EndDecision(Outcome Outcome, bool IsCharged, TimeSpan Again, string? Error)
{
    private static readonly EndDecision Success = new(Outcome.Succeeded, true, TimeSpan.Zero, null);

    /// <param name="exception">What the handler threw; null when it returned.</param>
    /// <param name="stop">Why its token had been cancelled by then.</param>
    /// <param name="stopMessage">In words.</param>
    /// <param name="attempt">The number of the attempt.</param>
    /// <param name="policy">The job's policy.</param>
    /// <param name="random">0 to 1, for the jitter of the retry.</param>
    public static EndDecision Decide(Exception? exception, StopReason stop, string? stopMessage, int attempt, ResolvedPolicy policy, double random)
    {
        switch (exception)
        {
            case null:
                return Success;
            case EndAttemptException { Outcome: Outcome.Snoozed } snooze:
                return new EndDecision(Outcome.Snoozed, false, snooze.Delay, null);
            case EndAttemptException end:
                return new EndDecision(end.Outcome, true, TimeSpan.Zero, Sanitiser.Text(end.Message, Sanitiser.MaxErrorInBytes));
        }

        // A handler that was told to stop and stopped has not failed, whatever its libraries wrap the cancellation in.
        var obeyed = IsCancellation(exception);
        if (stop == StopReason.Cancelled)
            return new EndDecision(Outcome.Cancelled, true, TimeSpan.Zero, stopMessage);
        if (obeyed && stop is StopReason.Shutdown or StopReason.LeaseLost)
            return new EndDecision(Outcome.Released, false, TimeSpan.Zero, stopMessage);

        var error = obeyed && stop == StopReason.Timeout
            ? $"The attempt ran longer than its timeout of {policy.Timeout} and was stopped."
            : ErrorText.Of(exception);
        return policy.Retry.NextDelay(attempt, policy.MaxAttempts, exception, random) is { } delay
            ? new EndDecision(Outcome.Failed, true, delay, error)
            : new EndDecision(Outcome.Discarded, true, TimeSpan.Zero, error);
    }

    private static bool IsCancellation(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is OperationCanceledException)
                return true;
        }
        return false;
    }
}
