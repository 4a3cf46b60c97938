namespace Millrace.Storage.Tests;

public sealed class EventsOnSqlite() : EventContract(new SqliteDatabase());

public sealed class EventsOnPostgres() : LateEventContract(new PostgresDatabase());

public sealed class EventsOnPgBouncer() : LateEventContract(new PgBouncerDatabase());

/// <summary>What running jobs tell users: raised by any session, read by all in one order.</summary>
public abstract class EventContract(TestDatabase database) : Contract(database)
{
    private protected const int All = 1_000;

    private protected static NewEvent Notification(string message, long user = 42) => new(user, 7, "send", message);

    private async Task<IReadOnlyList<JobEvent>> ReadAsync(long after = 0, params long[] users) =>
        (await Store.ReadEventsAsync(after, users.Length == 0 ? [42] : users, All, Stop)).Events;

    [Fact]
    public async Task A_notification_is_read_as_it_was_raised()
    {
        await Store.RaiseAsync([Notification("Grüße 🎉")], Stop);
        var page = await Store.ReadEventsAsync(0, [42], All, Stop);
        var told = page.Events.ShouldHaveSingleItem();
        told.ShouldBe(new JobEvent { Id = told.Id, Kind = JobEventKind.Notification, UserId = 42, JobId = 7, JobType = "send", At = Some.Noon, Message = "Grüße 🎉" });
        told.Id.ShouldBeGreaterThan(0);
        (page.Position, page.HasMore).ShouldBe((told.Id, false));
    }

    [Fact]
    public async Task No_notifications_are_no_work() => await Store.RaiseAsync([], Stop);

    [Fact]
    public async Task Notifications_of_one_call_keep_their_order()
    {
        var words = Enumerable.Range(0, 300).Select(i => $"{i}").ToArray();
        await Store.RaiseAsync([.. words.Select(word => Notification(word))], Stop);
        var events = await ReadAsync();
        events.Select(told => told.Message).ShouldBe(words);
        events.Select(told => told.Id).ShouldBeInOrder();
    }

    [Fact]
    public async Task Only_the_events_of_the_named_users_are_read_and_the_position_passes_the_others()
    {
        await Store.RaiseAsync([Notification("a", 1), Notification("b", 2), Notification("c", 3), Notification("d", 1), Notification("e", 9)], Stop);
        (await ReadAsync(0, 1, 3)).Select(told => told.Message).ShouldBe(["a", "c", "d"]);
        var nobodys = await Store.ReadEventsAsync(0, [77], All, Stop);
        nobodys.Events.ShouldBeEmpty();
        nobodys.Position.ShouldBe(await Store.ReadEventPositionAsync(Stop));
    }

    [Fact]
    public async Task The_position_lies_between_what_was_raised_and_what_will_be()
    {
        (await Store.ReadEventPositionAsync(Stop)).ShouldBe(0);
        await Store.RaiseAsync([Notification("before")], Stop);
        var position = await Store.ReadEventPositionAsync(Stop);
        (await Store.ReadEventsAsync(position, [42], All, Stop)).ShouldBe(new EventPage([], position, false), "nothing new");
        await Store.RaiseAsync([Notification("after")], Stop);
        (await ReadAsync(position)).ShouldHaveSingleItem().Message.ShouldBe("after");
    }

    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_repetition()
    {
        await Store.RaiseAsync([.. Enumerable.Range(0, 25).SelectMany(i => new[] { Notification($"{i}"), Notification("other", 1) })], Stop);
        var (seen, position, pages) = (new List<JobEvent>(), 0L, 0);
        while (true)
        {
            var page = await Store.ReadEventsAsync(position, [42], 10, Stop);
            (position, pages) = (page.Position, pages + 1);
            seen.AddRange(page.Events);
            if (!page.HasMore)
                break;
        }
        seen.Select(told => told.Message).ShouldBe(Enumerable.Range(0, 25).Select(i => $"{i}"));
        pages.ShouldBe(3);
    }

    [Fact]
    public async Task A_position_that_the_database_never_gave_is_put_right()
    {
        await Store.RaiseAsync([Notification("a")], Stop);
        var page = await Store.ReadEventsAsync(4711, [42], All, Stop);
        page.Events.ShouldBeEmpty();
        page.Position.ShouldBe(await Store.ReadEventPositionAsync(Stop));
    }

    [Fact]
    public async Task Progress_of_a_users_job_is_an_event()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job() with { UserId = 42 });
        Clock.Advance(Some.Second);
        await node.Store.SaveProgressAsync(claim.JobId, 1, 62.5, "halfway", Stop);
        await node.Store.SaveProgressAsync(claim.JobId, 1, 70, null, Stop);
        var events = await ReadAsync();
        events[0].ShouldBe(new JobEvent
        {
            Id = events[0].Id, Kind = JobEventKind.Progress, UserId = 42, JobId = claim.JobId, JobType = "send", At = Some.Noon + Some.Second, Percent = 62.5, Message = "halfway",
        });
        (events[1].Percent, events[1].Message).ShouldBe((70, null));
        (await FindAsync(claim.JobId)).Progress.ShouldBe(70);
    }

    [Fact]
    public async Task Progress_of_the_systems_jobs_is_none()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await node.Store.SaveProgressAsync(claim.JobId, 1, 10, null, Stop);
        (await FindAsync(claim.JobId)).Progress.ShouldBe(10);
        (await CountAsync("event")).ShouldBe(0);
    }

    [Fact]
    public async Task Progress_that_is_not_stored_is_none_either()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job() with { UserId = 42 });
        await node.EndAsync(claim, Outcome.Succeeded);
        await node.Store.SaveProgressAsync(claim.JobId, 1, 10, "too late", Stop);
        (await CountAsync("event")).ShouldBe(0);
    }

    [Fact]
    public async Task Events_are_removed_after_ten_minutes_and_their_ids_are_never_given_again()
    {
        var node = await NodeAsync();
        await Store.RaiseAsync([.. Enumerable.Range(0, 2_500).Select(i => Notification($"{i}"))], Stop);
        node.LiveFor(9 * Some.Minute);
        await Store.RaiseAsync([Notification("young")], Stop);
        (await Store.SurveyAsync(node.Id, Stop)).NeedsTidying.ShouldBeFalse();
        node.LiveFor(Some.Minute + Some.Second);
        (await Store.SurveyAsync(node.Id, Stop)).NeedsTidying.ShouldBeTrue();
        await Store.TidyAsync(Stop);
        (await ReadAsync()).ShouldHaveSingleItem().Message.ShouldBe("young");
        (await Store.SurveyAsync(node.Id, Stop)).NeedsTidying.ShouldBeFalse();

        var position = await Store.ReadEventPositionAsync(Stop);
        node.LiveFor(11 * Some.Minute);
        await Store.TidyAsync(Stop);
        (await CountAsync("event")).ShouldBe(0);
        (await Store.ReadEventPositionAsync(Stop)).ShouldBe(position);
        await Store.RaiseAsync([Notification("next")], Stop);
        (await ReadAsync(position)).ShouldHaveSingleItem().Message.ShouldBe("next");
    }

    // Without a bell nobody is ever rung, and who listens finds the event by looking.
    [Fact]
    public async Task A_node_that_listens_is_rung_where_there_is_a_bell()
    {
        var node = await NodeAsync();
        node.Heartbeat.Wait(TimeSpan.FromMilliseconds(1));
        await Store.RaiseAsync([Notification("nobody listens")], Stop);
        // Past the pause between two rings, after which a late one would have come.
        node.Heartbeat.Wait(TimeSpan.FromMilliseconds(100)).ShouldBeEmpty();
        await node.Store.SetListeningAsync(node.Id, true, Stop);
        await Store.RaiseAsync([Notification("one")], Stop);
        if (node.Store.HasBell)
            node.Heartbeat.Wait(TimeSpan.FromSeconds(10)).ShouldBe(["@"]);
        else
            node.Heartbeat.Wait(TimeSpan.FromMilliseconds(100)).ShouldBeEmpty();
        await node.Store.SetListeningAsync(node.Id, false, Stop);
        await Store.RaiseAsync([Notification("nobody listens any more")], Stop);
        node.Heartbeat.Wait(TimeSpan.FromMilliseconds(100)).ShouldBeEmpty();
        (await ReadAsync()).Select(told => told.Message).ShouldBe(["nobody listens", "one", "nobody listens any more"]);
    }

    [Fact]
    public async Task A_long_transaction_elsewhere_holds_nobody_up()
    {
        await Store.RaiseAsync([Notification("before")], Stop);
        await using var transaction = await BeginAsync();
        await SubmitAsync(Some.Job(), transaction);
        // With one writer at a time whoever raises waits for it; whoever reads does not.
        if (!Database.HasOneWriter)
            await Store.RaiseAsync([Notification("beside")], Stop);
        var page = await Store.ReadEventsAsync(0, [42], All, Stop);
        page.Events.Select(told => told.Message).ShouldBe(Database.HasOneWriter ? ["before"] : ["before", "beside"]);
        page.HasMore.ShouldBeFalse();
    }

    /// <summary>Many sessions raise at the same time, and their commits come in another order than their ids; two readers read on from where they are.</summary>
    [Fact]
    public async Task Readers_see_every_event_once_and_in_order_while_many_sessions_raise()
    {
        const int sessions = 8;
        const int each = 150;
        if (!Database.HasOneWriter)
            await JitterAsync();
        var stores = Enumerable.Range(0, sessions).Select(_ => OpenStore()).ToArray();
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() => ReadOnAsync(OpenStore(), done.Token))).ToArray();
        await Task.WhenAll(stores.Select((store, session) => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
                await store.RaiseAsync([Notification($"{session}:{i}")], Stop);
        })));
        await done.CancelAsync();

        foreach (var reader in readers)
        {
            var (seen, lookedBack) = await reader;
            TestContext.Current.TestOutputHelper?.WriteLine($"{seen.Count} events, {lookedBack} times one was held back");
            seen.Select(told => told.Id).ShouldBeInOrder();
            seen.Count.ShouldBe(sessions * each);
            foreach (var session in seen.GroupBy(told => told.Message!.Split(':')[0]))
                session.Select(told => told.Message!.Split(':')[1]).ShouldBe(Enumerable.Range(0, each).Select(i => $"{i}"));
        }
    }

    private static async Task<(List<JobEvent> Seen, int HeldBack)> ReadOnAsync(IJobStore store, CancellationToken done)
    {
        var (seen, position, heldBack) = (new List<JobEvent>(), 0L, 0);
        while (true)
        {
            var isLast = done.IsCancellationRequested;
            var page = await store.ReadEventsAsync(position, [42], 50, Stop);
            position = page.Position;
            seen.AddRange(page.Events);
            if (page.HasMore && page.Events.Count < 50)
                heldBack++;
            if (isLast && !page.HasMore)
                return (seen, heldBack);
        }
    }

    /// <summary>Between id and commit some time passes: more for some than for others.</summary>
    private Task JitterAsync() => Database.QueryAsync("""
        create function jitter() returns trigger language plpgsql as $$
        begin
            perform pg_sleep((new.id * 7919 % 5) * 0.002);
            return new;
        end $$;
        create trigger jitter before insert on millrace.event for each row execute function jitter()
        """);
}
