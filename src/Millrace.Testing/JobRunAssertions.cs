namespace Millrace.Testing;

/// <summary>What a test can demand of one <see cref="JobRun"/>. Each throws <see cref="JobAssertionException"/> with the run's own error and the timeline.</summary>
public static class JobRunAssertions
{
    /// <summary>The run succeeded.</summary>
    /// <returns>The run.</returns>
    public static JobRun ShouldHaveSucceeded(this JobRun run) =>
        run is { Outcome: Outcome.Succeeded, IsStale: false } ? run : throw run.Fault($"Job {run.Job.Id} ({run.Job.Type}) should have succeeded.");

    /// <summary>The run ended like this.</summary>
    /// <returns>The run.</returns>
    public static JobRun ShouldHaveEndedAs(this JobRun run, Outcome outcome) =>
        run.Outcome == outcome && !run.IsStale ? run : throw run.Fault($"Job {run.Job.Id} ({run.Job.Type}) should have ended as {outcome.ToWord()}.");

    /// <summary>The run failed, for good or to be tried again, with an exception of this type or one derived from it.</summary>
    /// <returns>The exception.</returns>
    public static TException ShouldHaveFailed<TException>(this JobRun run)
        where TException : Exception =>
        run.HasFailed && run.Exception is TException exception
            ? exception
            : throw run.Fault($"Job {run.Job.Id} ({run.Job.Type}) should have failed with {typeof(TException)}.");

    /// <summary>The job runs again after about this time.</summary>
    /// <param name="run">The run.</param>
    /// <param name="time">From the end of the run.</param>
    /// <param name="tolerance">How far it may be off, to either side. The default policy spreads its delays by a fifth. Null for one second.</param>
    /// <returns>The run.</returns>
    public static JobRun ShouldRetryIn(this JobRun run, TimeSpan time, TimeSpan? tolerance = null)
    {
        var allowed = tolerance ?? TimeSpan.FromSeconds(1);
        return run.RetryIn is { } actual && (actual - time).Duration() <= allowed
            ? run
            : throw run.Fault($"Job {run.Job.Id} ({run.Job.Type}) should run again in {time}, give or take {allowed}.");
    }
}
