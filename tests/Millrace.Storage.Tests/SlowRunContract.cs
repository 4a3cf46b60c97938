namespace Millrace.Storage.Tests;

public sealed class SlowRunsOnSqlite() : SlowRunContract(new SqliteDatabase());

public sealed class SlowRunsOnPostgres() : SlowRunContract(new PostgresDatabase());

public sealed class SlowRunsOnPgBouncer() : SlowRunContract(new PgBouncerDatabase());

/// <summary>The search for the runs of a type that took longest.</summary>
public abstract class SlowRunContract(TestDatabase database) : Contract(database)
{
    private static readonly SlowRunQuery Sends = new("send", Some.Noon.AddHours(-1));

    private Task<SlowRuns> ReadAsync(SlowRunQuery query) => Store.Inspection.ReadSlowRunsAsync(query, Stop);

    private async Task<long> RanAsync(TestNode node, int seconds, NewJob? job = null, Outcome outcome = Outcome.Succeeded)
    {
        var claim = await RunningAsync(node, job);
        (await node.EndAsync(node.End(claim, outcome) with { Started = Some.Noon.AddSeconds(-seconds) })).ShouldNotBe(EndVerdict.Stale);
        return claim.JobId;
    }

    [Fact]
    public async Task The_slowest_come_first_whatever_became_of_them()
    {
        var node = await NodeAsync("send", "scan");
        var quick = await RanAsync(node, 1);
        var failed = await RanAsync(node, 30, Some.Job(tag: "welcome-42"), Outcome.Discarded);
        var slow = await RanAsync(node, 600);
        await RanAsync(node, 900, Some.Job("scan"));

        var found = await ReadAsync(Sends);

        found.Runs.Select(run => run.JobId).ShouldBe([slow, failed, quick]);
        found.Runs[1].ShouldBe(new SlowRun(failed, 1, 1, "welcome-42", Some.Noon.AddSeconds(-30), Some.Noon, Outcome.Discarded, node.Id));
        (found.Examined, found.Reached, found.Next).ShouldBe((4, null, null));
        (await ReadAsync(Sends with { Limit = 1 })).Runs.ShouldHaveSingleItem().JobId.ShouldBe(slow);
        (await ReadAsync(Sends with { Type = "none" })).ShouldSatisfyAllConditions(none => none.Runs.ShouldBeEmpty(), none => none.Next.ShouldBeNull());
        (await ReadAsync(Sends with { Type = "x\0' or 1=1" })).Runs.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_ended_before_is_left_out_and_so_is_what_was_deleted_or_runs()
    {
        var node = await NodeAsync("send");
        await RanAsync(node, 50);
        node.LiveFor(Some.Minute);
        var deleted = await RanAsync(node, 40);
        await Store.Operations.ChangeAsync(deleted, new JobChange(OperationKind.Delete), new Author("alice", "code", null), null, Stop);
        var kept = await RanAsync(node, 30);
        await RunningAsync(node);

        (await ReadAsync(Sends with { Since = Some.Noon + Some.Second })).Runs.ShouldHaveSingleItem().JobId.ShouldBe(kept);
    }

    [Fact]
    public async Task A_search_that_was_stopped_is_gone_on_with_where_it_stopped_also_within_a_job()
    {
        var node = await NodeAsync("send");
        await RanAsync(node, 1);
        var (middle, last) = (await RanAsync(node, 2), await RanAsync(node, 3));

        (await ReadAsync(Sends with { Before = new RunPlace(last, 1) })).ShouldSatisfyAllConditions(found => found.Runs[0].JobId.ShouldBe(middle), found => found.Examined.ShouldBe(2));
        (await ReadAsync(Sends with { Before = new RunPlace(last, 2) })).Examined.ShouldBe(3);
    }

    [Fact]
    public async Task A_search_without_patience_looks_at_some_and_says_where_it_stopped()
    {
        var node = await NodeAsync("send");
        for (var i = 0; i < 3; i++)
        {
            await SubmitAllAsync([.. Enumerable.Range(0, 400).Select(_ => Some.Job())]);
            await node.EndAllAsync([.. (await node.ClaimAsync(400)).Select(claim => node.End(claim, Outcome.Succeeded))]);
        }

        var first = await ReadAsync(Sends with { Patience = TimeSpan.Zero });
        (first.Examined, first.Reached, first.Runs.Count).ShouldBe((1_000, Some.Noon, 20));
        var rest = await ReadAsync(Sends with { Before = first.Next.ShouldNotBeNull() });
        (rest.Examined, rest.Reached, rest.Next).ShouldBe((200, null, null));
        // Past jobs that were submitted before the time asked for there is nothing to look for.
        (await ReadAsync(Sends with { Patience = TimeSpan.Zero, Since = Some.Noon + Some.Second })).ShouldSatisfyAllConditions(found => found.Runs.ShouldBeEmpty(), found => found.Next.ShouldBeNull());
    }
}
