using CsCheck;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Tests.Inspecting;

public sealed class ExplainerTests
{
    private static readonly DateTimeOffset now = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly NodeFact web1 = new(Guid.NewGuid(), "web-1", IsDraining: false);
    private static readonly NodeFact web2 = new(Guid.NewGuid(), "web-2", IsDraining: true);

    [Fact]
    public void Next_in_line()
    {
        var told = Explain(Ready());

        told.Headline.ShouldBe("It is next in line in queue mail: the next free slot of 1 node takes it.");
        Codes(told).ShouldBe(["claimable_now"]);
        told.WouldRunAt.ShouldBe(now);
        told.State.ShouldBe("ready");
    }

    [Fact]
    public void Behind_others()
    {
        var told = Explain(Ready() with { Ahead = 918, EndsPerMinute = 153 });

        told.Headline.ShouldBe("918 jobs are ahead of it in queue mail: about 6 min at 153 a minute.");
        told.WouldRunAt.ShouldBe(now.AddMinutes(6));
        Commands(told).ShouldBe(["reprioritise 17 --priority -1"]);
    }

    [Fact]
    public void Behind_others_of_which_none_ends()
    {
        var told = Explain(Ready() with { Ahead = 100_000 });

        told.Headline.ShouldBe("At least 100,000 jobs are ahead of it in queue mail, and none ended in the last five minutes.");
        told.WouldRunAt.ShouldBeNull();
    }

    [Fact]
    public void A_paused_queue_names_who_why_and_until_when()
    {
        var told = Explain(Ready() with { QueuePause = new Pause(now.AddMinutes(-12), "ann", "The mail server is down", now.AddHours(3)) });

        told.Headline.ShouldBe("ann paused queue mail 12 min ago: The mail server is down. It goes on by itself at 15:00:00 UTC, in 3 h.");
        told.WouldRunAt.ShouldBe(now.AddHours(3));
        Commands(told).ShouldBe(["queues resume mail"]);
    }

    [Fact]
    public void A_queue_that_nobody_works_on()
    {
        var told = Explain(Ready() with { NodesOfQueue = 0, NodesOfType = 2, Claimers = [] });

        told.Headline.ShouldBe("No living node works on queue mail.");
        Codes(told).ShouldBe(["no_worker_for_queue"]);
        told.WouldRunAt.ShouldBeNull();
    }

    [Fact]
    public void A_type_that_nobody_knows_is_perhaps_mistyped()
    {
        var told = Explain(Ready("SendReciept") with { NodesOfType = 0, Claimers = [], KnownTypes = ["SendReceipt", "Other"] });

        told.Headline.ShouldBe("No living node has a handler for type SendReciept. Did you mean \"SendReceipt\"?");
        Codes(told).ShouldBe(["no_worker_for_type"]);
    }

    [Fact]
    public void A_type_that_only_nodes_of_other_queues_know() =>
        Explain(Ready() with { NodesOfType = 2, Claimers = [] }).Headline.ShouldBe("2 nodes know type welcome, but none of them works on queue mail.");

    [Fact]
    public void Everybody_is_draining()
    {
        var told = Explain(Ready() with { Claimers = [web2] });

        told.Headline.ShouldBe("1 node could claim it, and it was asked to claim no more.");
        Commands(told).ShouldBe(["workers resume web-2"]);
    }

    [Fact]
    public void A_suspect() => Codes(Explain(Ready(lastOutcome: Outcome.Interrupted) with { IsSuspect = true })).ShouldBe(["suspect_alone", "claimable_now", "interrupted"]);

    [Fact]
    public void Due_later()
    {
        var told = Explain(Job(row => row with { State = JobState.Scheduled, Due = now.AddMinutes(125) }));

        told.Headline.ShouldBe("It is due at 14:05:00 UTC, in 2 h 5 min.");
        (told.State, told.WouldRunAt).ShouldBe(("scheduled", now.AddMinutes(125)));
        Commands(told).ShouldBe(["run-now 17"]);
    }

    [Fact]
    public void Backing_off_after_a_failure()
    {
        var told = Explain(Job(row => row with
        {
            State = JobState.Scheduled, Attempt = 3, Due = now.AddSeconds(90), LastOutcome = Outcome.Failed, Error = "System.Exception: no route; Password=hunter2;\n   at X.Y()",
        }));

        told.Headline.ShouldBe("Attempt 2 failed: System.Exception: no route; Password=•••• redacted;. Attempt 3 follows at 12:01:30 UTC, in 90 s.");
        told.State.ShouldBe("retrying");
    }

    [Fact]
    public void A_pause_that_ends_before_the_job_is_due_does_not_matter_for_its_time() =>
        Explain(Job(row => row with { State = JobState.Scheduled, Due = now.AddHours(5) }) with { QueuePause = new Pause(now, null, null, now.AddHours(1)) })
            .WouldRunAt.ShouldBe(now.AddHours(5));

    [Fact]
    public void Snoozed() => Explain(Job(row => row with { State = JobState.Scheduled, Due = now.AddDays(2), LastOutcome = Outcome.Snoozed }))
        .Headline.ShouldBe("Its handler asked to run again later; it is due at 2026-07-03 12:00:00 UTC, in 2 days.");

    [Fact]
    public void Waiting_for_its_type() => Codes(Explain(Job(row => row with { State = JobState.Waiting, WaitsFor = "type" }))).ShouldBe(["waits_type"]);

    [Fact]
    public void Waiting_for_its_key()
    {
        var told = Explain(Job(row => row with { State = JobState.Waiting, WaitsFor = "key" }, key: "sync-42") with { KeyHolder = 16 });

        told.Headline.ShouldBe("Job 16 holds its key \"sync-42\". It goes on when that one has ended.");
        Commands(told).ShouldBe(["explain 16"]);
    }

    [Fact]
    public void In_quarantine()
    {
        var told = Explain(Job(row => row with { State = JobState.Waiting, WaitsFor = "quarantine", Error = "The process was killed (SIGSEGV)." }));

        told.Headline.ShouldBe("It is in quarantine because its process died too often while it ran: The process was killed (SIGSEGV). It needs a person.");
        told.State.ShouldBe("quarantined");
        Commands(told).ShouldBe(["retry 17", "cancel 17"]);
    }

    [Fact]
    public void Running()
    {
        var told = Explain(Job(row => row with { State = JobState.Running, Progress = 40 }) with { Lease = new LeaseFact(web1.Id, "web-1", now.AddMinutes(-4), now.AddSeconds(25), IsAlive: true) });

        told.Headline.ShouldBe("Node web-1 has had it since 11:56:00 UTC, 4 min ago (attempt 1, 40 % done). The node would lose it at 12:00:25 UTC if it did not renew itself.");
        Commands(told).ShouldBe(["cancel 17"]);
    }

    [Fact]
    public void Running_on_a_node_that_is_dead() =>
        Explain(Job(row => row with { State = JobState.Running }) with { Lease = new LeaseFact(web1.Id, null, now.AddMinutes(-4), now.AddSeconds(-1), IsAlive: false) })
            .Headline.ShouldBe($"Node {web1.Id} had it since 11:56:00 UTC, 4 min ago, and lives no more. The job is taken back at the next sweep of a living node, within seconds.");

    [Fact]
    public void Running_and_asked_to_stop()
    {
        var facts = Job(row => row with { State = JobState.Running }) with { Lease = new LeaseFact(web1.Id, "web-1", now, null, IsAlive: true) };

        var told = Explain(facts with { Job = facts.Job with { CancelRequest = new CancelRequest(17, "ann", "too slow") } });

        Codes(told).ShouldBe(["leased", "cancel_requested"]);
        told.Reasons[0].Text.ShouldBe("ann asked it to stop: too slow. Its token is cancelled; it ends when its handler does.");
    }

    [Theory]
    [InlineData(Outcome.Succeeded, JobState.Succeeded, "succeeded", "It succeeded at 11:00:00 UTC, 60 min ago, in attempt 1 after 3 s.")]
    [InlineData(Outcome.Discarded, JobState.Discarded, "failed", "It failed at 11:00:00 UTC, 60 min ago: attempt 1 was its last: no.")]
    [InlineData(Outcome.Cancelled, JobState.Cancelled, "cancelled", "It was cancelled at 11:00:00 UTC, 60 min ago: no.")]
    [InlineData(Outcome.Replaced, JobState.Cancelled, "cancelled", "A newer submission with its tag took its place at 11:00:00 UTC, 60 min ago, before it ran.")]
    [InlineData(Outcome.Superseded, JobState.Cancelled, "cancelled", "A newer job had taken its key at 11:00:00 UTC, 60 min ago, so it was not run again.")]
    public void Finished(Outcome outcome, JobState state, string word, string headline)
    {
        var told = Explain(Job(row => row with { State = state, LastOutcome = outcome, Started = now.AddHours(-1).AddSeconds(-3), Finished = now.AddHours(-1), Error = outcome == Outcome.Succeeded ? null : "no" }));

        (told.State, told.Headline, told.WouldRunAt).ShouldBe((word, headline, null));
        Codes(told)[0].ShouldBe(outcome.ToWord());
        Commands(told).ShouldContain("retry 17");
    }

    [Fact]
    public void Deleted()
    {
        var facts = Job(row => row with { DeletedBy = 12 });

        var told = Explain(facts with { Job = facts.Job with { RemoveAt = now.AddMinutes(10) } });

        told.Headline.ShouldBe("Operation 12 deleted it. That can be undone until 12:10:00 UTC, in 10 min; then it is removed.");
        Commands(told).ShouldBe(["undo 12"]);
    }

    [Fact]
    public void A_name_of_several_words_is_quoted_for_the_shell() =>
        Commands(Explain(Ready(queue: "it's mail") with { QueuePause = new Pause(now, null, null, null) })).ShouldBe([@"queues resume 'it'\''s mail'"]);

    [Fact]
    public void Whatever_the_facts_there_is_a_reason_and_a_job_that_nothing_keeps_back_has_a_time() =>
        Gen.Select(Gen.Enum<JobState>(), Gen.OneOf("type", "key", "quarantine"), Gen.Enum<Outcome>(), Gen.Int[0, 3], Gen.Bool, Gen.Int[0, 3]).SampleSeeded((state, waitsFor, outcome, attempt, isPaused, nodes) =>
        {
            var facts = Job(row => row with { State = state, WaitsFor = state == JobState.Waiting ? waitsFor : null, LastOutcome = outcome, Attempt = attempt, Error = "secret=c4n4ry" }) with
            {
                QueuePause = isPaused ? new Pause(now, null, null, null) : null,
                NodesOfQueue = nodes,
                Claimers = [.. new[] { web1, web2 }.Take(Math.Max(0, nodes - 1))],
            };

            var told = Explain(facts);

            told.Headline.Length.ShouldBeGreaterThan(10);
            told.Headline.ShouldNotContain("c4n4ry");
            told.Reasons.ShouldAllBe(reason => reason.Text.Length > 10 && reason.Text != told.Headline && !reason.Text.Contains("c4n4ry"));
            if (ClaimConditions.Of(facts) == Obstacles.None)
                told.WouldRunAt.ShouldBe(now);
            else if (state == JobState.Ready)
                told.WouldRunAt.ShouldBeNull();
        });

    private static Explanation Explain(JobFacts facts) => Explainer.Explain(facts);

    private static IReadOnlyList<string> Codes(Explanation told) => [told.Code, .. told.Reasons.Select(reason => reason.Code)];

    private static IReadOnlyList<string?> Commands(Explanation told) => [.. told.Advice.Where(advice => advice.Command is not null).Select(advice => advice.Command)];

    private static JobFacts Ready(string type = "welcome", string queue = "mail", Outcome? lastOutcome = null) => Job(row => row with { Type = type, Queue = queue, LastOutcome = lastOutcome });

    private static JobFacts Job(Func<JobRow, JobRow> change, string? key = null)
    {
        var row = change(new JobRow { Id = 17, Type = "welcome", Queue = "mail", State = JobState.Ready, Attempt = 1, Due = now.AddHours(-1), Created = now.AddHours(-1), Data = "{}" });
        return new JobFacts
        {
            Now = now,
            Job = new JobDetail
            {
                Row = row,
                Record = new JobRecord { Id = 17, Type = row.Type, Queue = row.Queue, Data = row.Data, Due = row.Due, Created = row.Created, State = row.State },
                Version = "x",
                Key = key,
            },
            Claimers = [web1],
            NodesOfQueue = 1,
            NodesOfType = 1,
        };
    }
}
