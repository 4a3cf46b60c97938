using CsCheck;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class RescueDecisionTests
{
    private static readonly ResolvedPolicy policy = new() { MaxAttempts = 10 };

    [Fact]
    public void Among_several_nobody_is_charged_and_all_are_suspects()
    {
        var verdict = Decide(attempt: 10, crashes: 2, isAlone: false);

        verdict.ShouldBe(new RescueVerdict { Outcome = Outcome.Interrupted, Charged = false, Crashes = 2, IsSuspect = true, Error = "The node died." });
    }

    [Fact]
    public void Alone_the_crash_counts() => Decide(attempt: 1, crashes: 0).ShouldSatisfyAllConditions(
        verdict => verdict.Charged.ShouldBeTrue(),
        verdict => verdict.Crashes.ShouldBe(1),
        verdict => verdict.IsSuspect.ShouldBeTrue(),
        verdict => verdict.Outcome.ShouldBe(Outcome.Interrupted));

    [Fact]
    public void The_third_crash_alone_waits_for_a_person()
    {
        var verdict = Decide(attempt: 3, crashes: 2);

        verdict.IsQuarantined.ShouldBeTrue();
        verdict.Error.ShouldBe("The node died. It has done so 3 times while it ran alone, so the job waits for a person.");
    }

    [Fact]
    public void The_last_attempt_discards()
    {
        var verdict = Decide(attempt: 10, crashes: 0);

        verdict.Outcome.ShouldBe(Outcome.Discarded);
        verdict.RemoveAfter.ShouldBe(TimeSpan.FromDays(7));
        verdict.Error.ShouldBe("The node died. It was the last of 10 attempts.");
    }

    [Fact]
    public void What_never_started_goes_back_as_it_was() => RescueDecision.NeverStarted(Run(4, 2, isAlone: true)).ShouldSatisfyAllConditions(
        verdict => verdict.Charged.ShouldBeFalse(),
        verdict => verdict.Crashes.ShouldBe(2),
        verdict => verdict.IsSuspect.ShouldBeFalse());

    [Fact]
    public void What_the_dead_process_did_not_run_goes_back_as_it_was() =>
        RescueDecision.Decide(Run(1, 2, isAlone: true), policy, new Death("It died.", Running(job: 2))).ShouldBe(
            new RescueVerdict { Outcome = Outcome.Interrupted, Charged = false, Crashes = 2, IsSuspect = false, Error = "It died." });

    [Fact]
    public void The_only_one_that_ran_is_charged_though_it_was_leased_with_others() =>
        RescueDecision.Decide(Run(1, 0, isAlone: false), policy, new Death("It died.", Running(job: 1))).ShouldSatisfyAllConditions(
            verdict => verdict.Charged.ShouldBeTrue(),
            verdict => verdict.Crashes.ShouldBe(1));

    [Fact]
    public void One_of_several_that_ran_is_a_suspect() =>
        RescueDecision.Decide(Run(1, 0, isAlone: false), policy, new Death("It died.", new HashSet<(long, int)> { (1, 1), (2, 1) })).ShouldSatisfyAllConditions(
            verdict => verdict.Charged.ShouldBeFalse(),
            verdict => verdict.IsSuspect.ShouldBeTrue());

    [Fact]
    public void A_deadline_uses_the_attempt_and_is_no_crash() =>
        RescueDecision.Decide(Run(1, 2, isAlone: true), policy, new Death("It was killed.", Running(job: 1), Overdue: (1, 1))).ShouldBe(
            new RescueVerdict { Outcome = Outcome.Interrupted, Charged = true, Crashes = 2, IsSuspect = false, Error = "It was killed." });

    [Fact]
    public void What_was_killed_at_the_end_of_the_grace_time_is_no_suspect() =>
        RescueDecision.Decide(Run(1, 0, isAlone: true), policy, new Death("It was killed.", Running(job: 1), IsOurDoing: true)).ShouldSatisfyAllConditions(
            verdict => verdict.Charged.ShouldBeFalse(),
            verdict => verdict.IsSuspect.ShouldBeFalse());

    [Fact]
    public void Innocents_are_never_charged_quarantined_or_discarded() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[0, 5], Gen.Bool).SampleSeeded((attempt, crashes, isAlone) =>
        {
            var verdict = Decide(attempt, crashes, isAlone);
            return verdict.Charged == isAlone
                && verdict.Crashes == crashes + (isAlone ? 1 : 0)
                && verdict.IsQuarantined == (isAlone && crashes >= 2)
                && (verdict.Outcome == Outcome.Discarded) == (isAlone && crashes < 2 && attempt >= 10);
        });

    private static RescueVerdict Decide(int attempt, int crashes, bool isAlone = true) => RescueDecision.Decide(Run(attempt, crashes, isAlone), policy, new Death("The node died.", Running: null));

    private static HashSet<(long, int)> Running(long job) => [(job, 1)];

    private static LeasedRun Run(int attempt, int crashes, bool isAlone) => new(1, attempt, attempt, crashes, "welcome", null, isAlone);
}
