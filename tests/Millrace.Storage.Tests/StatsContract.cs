namespace Millrace.Storage.Tests;

public sealed class StatsOnSqlite() : StatsContract(new SqliteDatabase());

public sealed class StatsOnPostgres() : StatsContract(new PostgresDatabase());

public sealed class StatsOnPgBouncer() : StatsContract(new PgBouncerDatabase());

/// <summary>Roll-ups of ended attempts.</summary>
public abstract class StatsContract(TestDatabase database) : Contract(database)
{
    private static readonly Guid Node = Guid.NewGuid();

    private static StatRow Row(DateTimeOffset bucket, long count = 1, string queue = "mail", string type = "send", Outcome outcome = Outcome.Succeeded, Guid? node = null, int milliseconds = 10)
    {
        var (wait, run) = (new Histogram(), new Histogram());
        for (var i = 0; i < count; i++)
        {
            wait.Add(TimeSpan.FromMilliseconds(milliseconds));
            run.Add(TimeSpan.FromMilliseconds(2 * milliseconds));
        }

        return new StatRow { Bucket = bucket, Node = node ?? Node, Queue = queue, Type = type, Outcome = outcome, Count = count, Wait = wait, Run = run };
    }

    private Task SaveAsync(params StatRow[] rows) => Store.SaveStatsAsync(rows, Stop);

    private Task<IReadOnlyList<StatRow>> ReadAsync(StatQuery? query = null) => Store.Inspection.ReadStatsAsync(query ?? Of(Some.Minute), Stop);

    private static StatQuery Of(TimeSpan step) => new() { From = Some.Noon.AddDays(-500), To = Some.Noon.AddDays(500), Step = step };

    private static (DateTimeOffset, string, string, Outcome, long) Brief(StatRow row) => (row.Bucket, row.Queue, row.Type, row.Outcome, row.Count);

    [Fact]
    public async Task A_row_that_is_saved_again_is_replaced_and_those_of_other_nodes_are_added_up()
    {
        await SaveAsync(Row(Some.Noon, 3), Row(Some.Noon, 4, node: Guid.NewGuid()));
        await SaveAsync(Row(Some.Noon, 5));
        await SaveAsync(Row(Some.Noon, 5));
        await SaveAsync();

        var row = (await ReadAsync()).ShouldHaveSingleItem();

        Brief(row).ShouldBe((Some.Noon, "", "", Outcome.Succeeded, 9));
        (row.Node, row.Wait.Count, row.Run.Count).ShouldBe((Guid.Empty, 9, 9));
    }

    [Fact]
    public async Task Queues_and_types_are_added_up_unless_they_are_kept_apart()
    {
        await SaveAsync(
            Row(Some.Noon, 1), Row(Some.Noon, 2, queue: "web"), Row(Some.Noon, 4, type: "scan"), Row(Some.Noon, 8, outcome: Outcome.Failed), Row(Some.Noon + Some.Minute, 16));
        (await ReadAsync()).Select(Brief).ShouldBe(
            [(Some.Noon, "", "", Outcome.Succeeded, 7), (Some.Noon, "", "", Outcome.Failed, 8), (Some.Noon + Some.Minute, "", "", Outcome.Succeeded, 16)]);
        (await ReadAsync(Of(Some.Minute) with { ByQueue = true })).Select(Brief).Take(3).ShouldBe(
            [(Some.Noon, "mail", "", Outcome.Succeeded, 5), (Some.Noon, "mail", "", Outcome.Failed, 8), (Some.Noon, "web", "", Outcome.Succeeded, 2)]);
        (await ReadAsync(Of(Some.Minute) with { ByType = true })).Count(row => row.Type == "scan").ShouldBe(1);
        (await ReadAsync(Of(Some.Minute) with { Queue = "web" })).ShouldHaveSingleItem().Count.ShouldBe(2);
        (await ReadAsync(Of(Some.Minute) with { Type = "scan" })).ShouldHaveSingleItem().Count.ShouldBe(4);
        (await ReadAsync(Of(Some.Minute) with { Type = "x' or 1=1" })).ShouldBeEmpty();
    }

    [Fact]
    public async Task Buckets_are_as_long_as_they_were_asked_for()
    {
        for (var i = 0; i < 90; i++)
            await SaveAsync(Row(Some.Noon.AddMinutes(i)));
        (await ReadAsync(Of(TimeSpan.FromMinutes(30)))).Select(Brief).Select(row => (row.Item1, row.Item5)).ShouldBe(
            [(Some.Noon, 30), (Some.Noon.AddMinutes(30), 30), (Some.Noon.AddMinutes(60), 30)]);
        (await ReadAsync(Of(TimeSpan.FromHours(1)))).Select(row => row.Count).ShouldBe([60, 30]);
        (await ReadAsync(new StatQuery { From = Some.Noon.AddMinutes(1), To = Some.Noon.AddMinutes(60), Step = TimeSpan.FromMinutes(30) })).ShouldHaveSingleItem().Bucket.ShouldBe(Some.Noon.AddMinutes(30));
        (await ReadAsync(new StatQuery { From = Some.Noon, To = Some.Noon.AddMinutes(2), Step = Some.Minute })).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(90)]
    public async Task A_step_is_whole_minutes(int seconds) =>
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => ReadAsync(Of(TimeSpan.FromSeconds(seconds))));

    [Fact]
    public async Task Percentiles_are_right_within_a_fifth_after_adding_up()
    {
        await SaveAsync([.. Enumerable.Range(1, 100).Select(i => Row(Some.Noon, 1, type: $"t{i}", milliseconds: i * 10))]);
        var row = (await ReadAsync()).ShouldHaveSingleItem();
        row.Count.ShouldBe(100);
        foreach (var (share, milliseconds) in new[] { (0.5, 500.0), (0.95, 950.0), (0.99, 990.0) })
        {
            row.Wait.Percentile(share).ShouldNotBeNull().TotalMilliseconds.ShouldBe(milliseconds, milliseconds / 5);
            row.Run.Percentile(share).ShouldNotBeNull().TotalMilliseconds.ShouldBe(2 * milliseconds, milliseconds / 2.5);
        }
    }

    [Fact]
    public async Task Upkeep_folds_old_minutes_into_hours_and_nothing_is_lost()
    {
        for (var i = 0; i < 150; i++)
            await SaveAsync(Row(Some.Noon.AddMinutes(i)), Row(Some.Noon.AddMinutes(i), 2, node: Guid.NewGuid()), Row(Some.Noon.AddMinutes(i), 4, queue: "web"));
        var before = await ReadAsync(Of(TimeSpan.FromHours(1)) with { ByQueue = true, ByType = true });
        before.Select(row => row.Count).ShouldBe([180, 240, 180, 240, 90, 120]);

        Clock.Advance(TimeSpan.FromHours(50));
        (await Store.SurveyAsync(Guid.NewGuid(), Stop)).NeedsTidying.ShouldBeTrue();
        await Store.TidyAsync(Stop);
        (await Store.SurveyAsync(Guid.NewGuid(), Stop)).NeedsTidying.ShouldBeFalse();

        (await CountAsync("stat_minute")).ShouldBe(90, "the third hour is not 48 hours old yet");
        (await CountAsync("stat_hour")).ShouldBe(4);
        var after = await ReadAsync(Of(TimeSpan.FromHours(1)) with { ByQueue = true, ByType = true });
        after.Select(Brief).ShouldBe(before.Select(Brief));
        after.Select(row => row.Run.ToBytes()).ShouldBe(before.Select(row => row.Run.ToBytes()));
        (await ReadAsync(Of(Some.Minute))).Count.ShouldBe(30, "shorter buckets are read from the minutes");
    }

    [Fact]
    public async Task A_minute_that_comes_late_is_added_to_its_hour()
    {
        await SaveAsync(Row(Some.Noon, 3));
        Clock.Advance(TimeSpan.FromHours(50));
        await Store.TidyAsync(Stop);
        await SaveAsync(Row(Some.Noon.AddMinutes(7), 4, node: Guid.NewGuid()));
        await Store.TidyAsync(Stop);
        (await CountAsync("stat_minute")).ShouldBe(0);
        (await ReadAsync(Of(TimeSpan.FromHours(24)))).ShouldHaveSingleItem().ShouldSatisfyAllConditions(row => row.Count.ShouldBe(7), row => row.Wait.Count.ShouldBe(7));
    }

    [Fact]
    public async Task Hours_are_dropped_after_400_days()
    {
        await SaveAsync(Row(Some.Noon), Row(Some.Noon.AddDays(2)));
        Clock.Advance(TimeSpan.FromDays(401));
        await Store.TidyAsync(Stop);
        (await CountAsync("stat_minute")).ShouldBe(0);
        (await CountAsync("stat_hour")).ShouldBe(1);
    }

    [Fact]
    public async Task Finished_jobs_of_the_last_day_and_the_pace_of_a_queue_come_from_the_roll_ups()
    {
        await SaveAsync(
            Row(Some.Noon, 5), Row(Some.Noon, 3, outcome: Outcome.Failed), Row(Some.Noon, 2, outcome: Outcome.Discarded), Row(Some.Noon.AddHours(-2), 7, outcome: Outcome.Replaced),
            Row(Some.Noon.AddHours(-25), 11));
        await SubmitAsync(Some.Job(queue: "mail"));
        var counts = (await Store.Inspection.CountAsync(Stop)).ByState;
        (counts[StateSet.Succeeded], counts[StateSet.Discarded], counts[StateSet.Cancelled]).ShouldBe((5, 2, 7));
        (await Store.Inspection.ReadQueuesAsync(Stop)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            queue => queue.EndsPerMinute.ShouldBe(2.0), queue => queue.FailedLastHour.ShouldBe(5));
    }

    // ---- what comes into a queue

    private async Task<QueueRecord> MailAsync() => (await Store.Inspection.ReadQueuesAsync(Stop)).First(queue => queue.Name == "mail");

    [Fact]
    public async Task What_became_ready_in_the_last_five_minutes_has_come_whatever_became_of_it()
    {
        var node = await NodeAsync();
        await SubmitAllAsync([.. Enumerable.Range(0, 30).Select(_ => Some.Job(queue: "mail"))]);
        (await MailAsync()).ArrivalsPerMinute.ShouldBe(6);
        await SubmitAllAsync([.. Enumerable.Range(0, 5).Select(_ => Some.Job(queue: "mail", priority: 3))]);
        await node.ClaimAsync(10, "mail");
        (await MailAsync()).ArrivalsPerMinute.ShouldBe(7, "ten of them run");
        await SaveAsync(Row(Some.Noon, 20));
        (await MailAsync()).ArrivalsPerMinute.ShouldBe(11, "twenty have ended, and had not waited for long");

        node.LiveFor(TimeSpan.FromMinutes(6));
        (await MailAsync()).ArrivalsPerMinute.ShouldBe(0);
        await SubmitAsync(Some.Job(queue: "mail"));
        (await MailAsync()).ArrivalsPerMinute.ShouldBe(0.2);
    }

    [Fact]
    public async Task What_ended_after_a_long_wait_or_a_long_run_or_was_given_back_has_not_come_just_now()
    {
        await SubmitAsync(Some.Job(queue: "mail", delay: Some.Minute));
        await SaveAsync(Row(Some.Noon.AddMinutes(-1), 50, milliseconds: 10 * 60_000), Row(Some.Noon.AddMinutes(-1), 50, outcome: Outcome.Released), Row(Some.Noon.AddMinutes(-6), 50, outcome: Outcome.Failed));

        (await MailAsync()).ArrivalsPerMinute.ShouldBe(0);
    }

    // ---- the catalogue

    [Fact]
    public async Task The_catalogue_is_written_when_something_changed_or_an_hour_is_over()
    {
        var type = new TypeDescription { Name = "send", Queue = "mail", MaxAttempts = 3 };
        var node = await NodeAsync("send");
        await node.Store.RegisterAsync(node.Row() with { Catalogue = [type] }, Stop);
        node.LiveFor(Some.Minute);
        await node.Store.RegisterAsync(node.Row() with { Catalogue = [type] }, Stop);
        (await TypeAsync()).LastSeen.ShouldBe(Some.Noon, "the same again is not written");
        await node.Store.RegisterAsync(node.Row() with { Catalogue = [type with { MaxAttempts = 4 }] }, Stop);
        (await TypeAsync()).ShouldSatisfyAllConditions(
            one => one.Description.MaxAttempts.ShouldBe(4), one => one.FirstSeen.ShouldBe(Some.Noon), one => one.LastSeen.ShouldBe(Some.Noon + Some.Minute), one => one.Nodes.ShouldBe(1));
        node.LiveFor(TimeSpan.FromMinutes(61));
        await node.Store.RegisterAsync(node.Row() with { Catalogue = [type with { MaxAttempts = 4 }] }, Stop);
        (await TypeAsync()).LastSeen.ShouldBe(Clock.GetUtcNow());
        await node.Store.LeaveAsync(node.Id, Stop);
        (await TypeAsync()).ShouldSatisfyAllConditions(one => one.Nodes.ShouldBe(0), one => one.Queues.ShouldBeEmpty());
    }

    private async Task<TypeRecord> TypeAsync() => (await Store.Inspection.ReadTypesAsync(Stop)).ShouldHaveSingleItem();
}
