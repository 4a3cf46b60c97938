using CsCheck;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class EndDecisionTests
{
    private static readonly ResolvedPolicy policy = new() { MaxAttempts = 3, Retry = RetryPolicy.Every(TimeSpan.FromSeconds(7)), Timeout = TimeSpan.FromMinutes(1) };

    private static readonly Exception?[] all =
    [
        null,
        new InvalidDataException("no"),
        new OperationCanceledException(),
        new AggregateException(new TaskCanceledException()),
        new EndAttemptException(Outcome.Snoozed, TimeSpan.FromHours(1), "later"),
        new EndAttemptException(Outcome.Cancelled, TimeSpan.Zero, "never"),
        new EndAttemptException(Outcome.Discarded, TimeSpan.Zero, "give up"),
    ];

    private static readonly Gen<Exception?> exceptions = Gen.Int[0, all.Length - 1].Select(i => all[i]);

    [Fact]
    public void A_return_is_a_success_even_when_it_was_asked_to_stop() =>
        Decide(null, StopReason.Cancelled).ShouldBe(new EndDecision(Outcome.Succeeded, true, TimeSpan.Zero, null));

    [Fact]
    public void A_failure_is_charged_and_comes_back()
    {
        var end = Decide(new InvalidDataException("no"));

        end.Outcome.ShouldBe(Outcome.Failed);
        end.IsCharged.ShouldBeTrue();
        end.Again.ShouldBe(TimeSpan.FromSeconds(7));
        end.Error!.ShouldContain("InvalidDataException: no");
    }

    [Fact]
    public void The_last_failure_discards() => Decide(new InvalidDataException("no"), attempt: 3).Outcome.ShouldBe(Outcome.Discarded);

    // Stopped at shutdown, or because the lease is lost: not the job's fault.
    [Theory]
    [InlineData(StopReason.Shutdown)]
    [InlineData(StopReason.LeaseLost)]
    public void Who_obeys_is_released_uncharged(StopReason reason) =>
        Decide(new AggregateException(new TaskCanceledException()), reason, "because").ShouldBe(new EndDecision(Outcome.Released, false, TimeSpan.Zero, "because"));

    [Fact]
    public void Who_fails_by_itself_during_a_shutdown_has_failed() => Decide(new InvalidDataException("no"), StopReason.Shutdown).Outcome.ShouldBe(Outcome.Failed);

    [Fact]
    public void A_cancelled_job_that_throws_ends_as_cancelled_with_the_reason() =>
        Decide(new OperationCanceledException(), StopReason.Cancelled, "Anna cancelled the job.").ShouldBe(new EndDecision(Outcome.Cancelled, true, TimeSpan.Zero, "Anna cancelled the job."));

    [Fact]
    public void A_timeout_is_a_failure_that_says_how_long_it_was() =>
        Decide(new OperationCanceledException(), StopReason.Timeout).Error.ShouldBe("The attempt ran longer than its timeout of 00:01:00 and was stopped.");

    [Fact]
    public void A_cancellation_that_nobody_asked_for_is_a_failure() => Decide(new OperationCanceledException()).Outcome.ShouldBe(Outcome.Failed);

    [Fact]
    public void Whatever_comes_out_the_end_is_one_that_a_store_takes() =>
        Gen.Select(exceptions, Gen.Enum<StopReason>(), Gen.Int[1, 5], RetryPolicyTests.Any, Gen.Double[0, 1]).SampleSeeded((exception, stop, attempt, retry, random) =>
        {
            var end = EndDecision.Decide(exception, stop, "stopped", attempt, policy with { Retry = retry }, random);
            return end.Again >= TimeSpan.Zero
                && (end.Again == TimeSpan.Zero || !end.Outcome.IsFinal())
                && end.IsCharged == end.Outcome is not (Outcome.Snoozed or Outcome.Released)
                && end.Outcome is not (Outcome.Interrupted or Outcome.Replaced or Outcome.Superseded)
                && (end.Outcome == Outcome.Succeeded) == (exception is null)
                && (end.Outcome != Outcome.Failed || attempt < policy.MaxAttempts)
                && end.Error is null or { Length: <= Sanitiser.MaxErrorInBytes };
        });

    private static EndDecision Decide(Exception? exception, StopReason stop = StopReason.None, string? message = null, int attempt = 1) =>
        EndDecision.Decide(exception, stop, message, attempt, policy, 0.5);
}
