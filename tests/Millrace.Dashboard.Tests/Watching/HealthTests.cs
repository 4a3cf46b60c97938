using Millrace.Dashboard.Watching;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Watching;

public sealed class HealthTests
{
    private static readonly DateTimeOffset now = new(2026, 11, 25, 13, 30, 0, TimeSpan.Zero);

    private static HealthFacts Calm { get; } = new(now, new JobCounts { ByState = new Dictionary<StateSet, long>(), Now = now }, [], [], [], [], []);

    [Fact]
    public void Nothing_is_wrong_with_what_works()
    {
        var calm = Calm with
        {
            Queues = [new QueueRecord { Name = "mail", Ready = 3, OldestReady = now.AddSeconds(-10), Nodes = 1, EndsPerMinute = 50 }, new QueueRecord { Name = "idle", Pause = new Pause(now, "ana", null, null) }],
            Workers = [Worker(isAlive: true, running: 4), Worker(isAlive: false, running: 0)],
            Schedules = [Schedule(now.AddMinutes(30)), Schedule(now.AddSeconds(-20)), Schedule(null)],
            LastDay = [Stat(now.AddMinutes(-30), Outcome.Succeeded, 1_000), Stat(now.AddMinutes(-30), Outcome.Failed, 10)],
        };

        Health.Judge(calm).ShouldBeEmpty();
    }

    [Fact]
    public void Ready_jobs_without_a_worker_are_an_error()
    {
        var symptom = Only(Calm with { Queues = [new QueueRecord { Name = "mail", Ready = 1_204, OldestReady = now.AddMinutes(-12) }] }, "queue_without_worker", Severity.Error);

        symptom.Finding.Evidence.ShouldBe("Queue \"mail\" has 1,204 ready jobs and no worker; the oldest has waited 12 min.");
    }

    [Fact]
    public void A_type_that_fails_since_a_deployment_names_it()
    {
        var failing = Calm with { LastDay = [Stat(now.AddMinutes(-30), Outcome.Failed, 50), Stat(now.AddMinutes(-30), Outcome.Succeeded, 50)] };

        Only(failing with { Deployments = [new Deployment(now.AddMinutes(-40), "Shop.Web", "1.4.2")] }, "type_fails", Severity.Error).Finding.Cause.ShouldStartWith("Shop.Web 1.4.2 came 40 min ago: perhaps that.");
        Only(failing with { Deployments = [new Deployment(now.AddHours(-3), "Shop.Web", "1.4.2")] }, "type_fails", Severity.Error).Finding.Cause.ShouldStartWith("A change of its code");
    }

    [Fact]
    public void Ready_jobs_that_wait_long_are_a_warning()
    {
        var symptom = Only(Calm with { Queues = [new QueueRecord { Name = "my mail", Ready = 5, OldestReady = now.AddMinutes(-39), Nodes = 2, EndsPerMinute = 1.5, ArrivalsPerMinute = 4 }] }, "long_wait", Severity.Warning);

        symptom.Finding.Cause.ShouldContain("1.5 attempts end and 4 jobs come in a minute now");
        (symptom.Page, symptom.Filter).ShouldBe(("jobs", "state:ready queue:\"my mail\""));
    }

    [Fact]
    public void A_pause_with_jobs_behind_it_is_a_notice_and_nothing_else()
    {
        var symptom = Only(
            Calm with { Queues = [new QueueRecord { Name = "mail", Ready = 5, OldestReady = now.AddHours(-3), Pause = new Pause(now.AddHours(-2), "ana", "the provider is down", null) }] }, "queue_paused", Severity.Notice);

        symptom.Finding.Cause.ShouldBe("ana paused it 2 h 0 min ago: the provider is down");
    }

    [Theory]
    // failed and succeeded in the last hour, failed and succeeded before
    [InlineData(50, 50, 1, 500, true)]
    [InlineData(50, 50, 0, 0, true)]
    [InlineData(2, 8, 0, 0, true)]
    [InlineData(2, 7, 0, 0, false)]
    [InlineData(19, 81, 0, 0, false)]
    [InlineData(50, 50, 300, 700, false)]
    [InlineData(0, 0, 500, 0, false)]
    public void A_type_that_fails_more_than_it_did_is_an_error(int failed, int succeeded, int failedBefore, int succeededBefore, bool isFound)
    {
        var facts = Calm with
        {
            LastDay =
            [
                Stat(now.AddMinutes(-30), Outcome.Failed, failed), Stat(now.AddMinutes(-30), Outcome.Succeeded, succeeded), Stat(now.AddMinutes(-30), Outcome.Snoozed, 10_000),
                Stat(now.AddHours(-5), Outcome.Discarded, failedBefore), Stat(now.AddHours(-5), Outcome.Succeeded, succeededBefore),
            ],
        };

        if (isFound)
            Only(facts, "type_fails", Severity.Error).Filter.ShouldBe("type:send");
        else
            Health.Judge(facts).ShouldBeEmpty();
    }

    [Fact]
    public void A_tick_that_nobody_fired_is_a_warning()
    {
        Only(Calm with { Schedules = [Schedule(now.AddMinutes(-5))] }, "schedule_missed", Severity.Warning).Finding.Evidence.ShouldContain("5 min ago");
        Health.Judge(Calm with { Schedules = [Schedule(now.AddMinutes(-5), new Pause(now, "ana", null, null))] }).ShouldBeEmpty();
        Only(Calm with { Schedules = [Schedule(now.AddMinutes(-5), new Pause(now.AddHours(-1), "ana", null, now.AddMinutes(-10)))] }, "schedule_missed", Severity.Warning);
    }

    [Fact]
    public void A_worker_that_was_lost_with_jobs_is_an_error() =>
        Only(Calm with { Workers = [Worker(isAlive: false, running: 4)] }, "worker_lost", Severity.Error).Finding.Evidence.ShouldBe("Worker w-7 was lost 3 min ago; 4 jobs that it ran are not taken back yet.");

    [Fact]
    public void A_job_in_quarantine_is_an_error() =>
        Only(Calm with { Counts = new JobCounts { ByState = new Dictionary<StateSet, long> { [StateSet.Quarantined] = 1 }, Now = now } }, "quarantined", Severity.Error).Filter.ShouldBe("state:quarantined");

    [Fact]
    public void What_is_worst_comes_first_and_twenty_are_enough()
    {
        var many = Calm with
        {
            Queues = [new QueueRecord { Name = "paused", Ready = 1, Pause = new Pause(now, null, null, null) }, .. Enumerable.Range(0, 30).Select(i => new QueueRecord { Name = $"q{i}", Ready = 1 })],
        };

        var found = Health.Judge(many);
        found.Count.ShouldBe(20);
        found.ShouldAllBe(symptom => symptom.Finding.Severity == Severity.Error);
    }

    private static Symptom Only(HealthFacts facts, string code, Severity severity)
    {
        var symptom = Health.Judge(facts).ShouldHaveSingleItem();
        (symptom.Finding.Code, symptom.Finding.Severity).ShouldBe((code, severity));
        return symptom;
    }

    private static WorkerRecord Worker(bool isAlive, int running) =>
        new() { Id = Guid.NewGuid(), Name = "w-7", Kind = NodeKind.Server, Started = now, IsAlive = isAlive, Died = isAlive ? null : now.AddMinutes(-3), RunningCount = running };

    private static ScheduleRecord Schedule(DateTimeOffset? due, Pause? pause = null) =>
        new(new Schedule { Name = "nightly", Cron = "0 0 2 * * *", Zone = "UTC", Template = new NewJob { Id = 1, Nonce = 1, Type = "t" }, NextDue = due, Pause = pause }, now, 0);

    private static StatRow Stat(DateTimeOffset bucket, Outcome outcome, long count) =>
        new() { Bucket = bucket, Queue = "", Type = "send", Outcome = outcome, Count = count, Wait = new Histogram(), Run = new Histogram() };
}
