using Millrace.Notifying;

namespace Millrace.Tests.Notifying;

public sealed class SubscriptionTests
{
    private long lastId;

    private JobEvent Notification(long user = 42) => new()
    {
        Id = ++lastId, Kind = JobEventKind.Notification, UserId = user, JobId = 1, JobType = "work", At = DateTimeOffset.UnixEpoch, Message = "m",
    };

    private JobEvent Progress() => Notification() with { Kind = JobEventKind.Progress, Percent = 1 };

    private static async Task<List<JobEvent>> TakeAllAsync(Subscription subscription)
    {
        subscription.End();
        var taken = new List<JobEvent>();
        while (await subscription.NextAsync(TestContext.Current.CancellationToken) is { } next)
            taken.Add(next);
        return taken;
    }

    [Fact]
    public async Task It_takes_its_users_events_after_its_position_once()
    {
        var subscription = new Subscription(42, after: 2, live: 2);
        var page = new[] { Notification(), Notification(), Notification(), Notification(user: 1), Notification() };

        subscription.Take(page, 5).ShouldBeTrue();
        subscription.Take(page, 5).ShouldBeTrue();

        (await TakeAllAsync(subscription)).Select(taken => taken.Id).ShouldBe([3, 5]);
    }

    [Fact]
    public async Task A_full_one_drops_its_oldest_progress_for_what_comes()
    {
        var subscription = new Subscription(42, 0, 0);
        JobEvent[] page = [Notification(), Progress(), Progress(), .. Enumerable.Range(0, Subscription.Capacity - 3).Select(_ => Notification()), Notification(), Progress()];

        subscription.Take(page, lastId).ShouldBeTrue();

        var taken = await TakeAllAsync(subscription);
        taken.Count.ShouldBe(Subscription.Capacity);
        taken.ShouldBe([page[0], .. page[3..]]);
    }

    [Fact]
    public async Task One_full_of_notifications_drops_new_progress_and_then_says_from_where_to_go_on()
    {
        var subscription = new Subscription(42, 0, 0);
        var page = Enumerable.Range(0, Subscription.Capacity).Select(_ => Notification()).ToArray();
        subscription.Take(page, lastId).ShouldBeTrue();
        subscription.Take([Progress()], lastId).ShouldBeTrue();
        subscription.Take([Notification()], lastId).ShouldBeFalse();

        foreach (var expected in page)
            (await subscription.NextAsync(TestContext.Current.CancellationToken)).ShouldBe(expected);
        var fault = await Should.ThrowAsync<JobEventsOverflowException>(async () => await subscription.NextAsync(TestContext.Current.CancellationToken));
        (fault.ResumeAfter, fault.UserId).ShouldBe((Subscription.Capacity, 42));
        fault.Message.ShouldContain("1,000 notifications waited");
        fault.Message.ShouldContain("Subscribe again after id 1000");
    }

    [Fact]
    public void One_that_still_reads_what_was_stored_sets_the_pace()
    {
        var subscription = new Subscription(42, 0, live: 10_000);
        var page = Enumerable.Range(0, EventFeed.PageSize).Select(_ => Notification()).ToArray();

        subscription.HasRoom.ShouldBeTrue();
        subscription.Take(page, lastId);
        subscription.HasRoom.ShouldBeTrue();
        subscription.Take([Notification()], lastId);
        subscription.HasRoom.ShouldBeFalse();
    }

    [Fact]
    public async Task A_cancelled_wait_ends_with_the_token()
    {
        using var cancel = new CancellationTokenSource();
        var waiting = new Subscription(42, 0, 0).NextAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => waiting);
    }
}
