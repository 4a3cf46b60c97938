using System.Reflection;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Notifying;
using Millrace.Sqlite;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Tests.Notifying;

// What handlers tell users, from the handler to the subscriber, in one process with its own threads.
public sealed class EventFeedTests
{
    [Job("tell")]
    private sealed record Tell(string Word, int Times = 1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Task<TestHost> StartAsync() => TestHost.StartAsync(m => m
        .AddJob<Tell>(async (job, token) =>
        {
            for (var i = 0; i < job.Data.Times; i++)
                await job.NotifyUserAsync(job.UserId, $"{job.Data.Word} {i}", token);
            await job.ReportProgressAsync(100, "told", token);
        })
        .AddWorkers());

    private static IJobEvents EventsOf(TestHost host) => host.Services.GetRequiredService<IJobEvents>();

    private static IJobStore StoreOf(TestHost host) => host.Services.GetRequiredKeyedService<IJobStore>("millrace");

    private static MillraceInstance InstanceOf(TestHost host) => host.Services.GetRequiredKeyedService<MillraceInstance>("millrace");

    private static NewEvent[] Notifications(int count, long user = 42) => [.. Enumerable.Range(0, count).Select(i => new NewEvent(user, 7, "tell", $"{i}"))];

    private static async Task<List<JobEvent>> TakeAsync(IAsyncEnumerable<JobEvent> events, int count)
    {
        var taken = new List<JobEvent>();
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        late.CancelAfter(TestHost.Deadline);
        await foreach (var told in events.WithCancellation(late.Token))
        {
            taken.Add(told);
            if (taken.Count == count)
                break;
        }
        return taken;
    }

    [Fact]
    public async Task A_subscriber_hears_what_the_users_jobs_say()
    {
        await using var host = await StartAsync();
        var position = await EventsOf(host).ReadPositionAsync(Stop);
        var hearing = TakeAsync(EventsOf(host).SubscribeAsync(42, position, Stop), 3);

        await host.Jobs.SubmitAsync(new Tell("not for you"), new JobOptions { UserId = 1 }, Stop);
        var id = (await host.Jobs.SubmitAsync(new Tell("hello", 2), new JobOptions { UserId = 42 }, Stop)).Id;

        var heard = await hearing;
        heard.Select(told => (told.Kind, told.Message, told.Percent)).ShouldBe(
            [(JobEventKind.Notification, "hello 0", null), (JobEventKind.Notification, "hello 1", null), (JobEventKind.Progress, "told", 100)]);
        heard.ShouldAllBe(told => told.JobId == id && told.JobType == "tell" && told.UserId == 42);
        heard.Select(told => told.Id).ShouldBeInOrder();
    }

    [Fact]
    public async Task A_live_subscription_gives_nothing_of_before_and_all_of_after()
    {
        await using var host = await StartAsync();
        await StoreOf(host).RaiseAsync(Notifications(5), Stop);
        await using var heard = EventsOf(host).SubscribeAsync(42, Stop).GetAsyncEnumerator(Stop);

        var next = heard.MoveNextAsync();
        await TestHost.UntilAsync(() => InstanceOf(host).Events.IsReading);
        await StoreOf(host).RaiseAsync([new NewEvent(42, 7, "tell", "new")], Stop);

        (await next.AsTask().WaitAsync(TestHost.Deadline, Stop)).ShouldBeTrue();
        heard.Current.Message.ShouldBe("new");
    }

    [Fact]
    public async Task Who_comes_back_goes_on_where_it_was_however_much_was_missed()
    {
        await using var host = await StartAsync();
        await StoreOf(host).RaiseAsync(Notifications(2_600), Stop);
        var first = await TakeAsync(EventsOf(host).SubscribeAsync(42, 0, Stop), 100);

        var rest = await TakeAsync(EventsOf(host).SubscribeAsync(42, first[^1].Id, Stop), 2_500);

        first.Concat(rest).Select(told => told.Message).ShouldBe(Enumerable.Range(0, 2_600).Select(i => $"{i}"));
    }

    [Fact]
    public async Task Subscribers_of_one_process_share_a_reader_and_hear_each_event_once()
    {
        await using var host = await StartAsync();
        await StoreOf(host).RaiseAsync(Notifications(700), Stop);
        var position = await EventsOf(host).ReadPositionAsync(Stop);
        // Some begin far back, some now: they read over the same rows.
        var hearing = new[] { 0, position, 300, position, 0 }.Select(after => (After: after, Heard: Task.Run(() => TakeAsync(EventsOf(host).SubscribeAsync(42, after, Stop), (int)(700 - after) + 50)))).ToArray();
        var other = Task.Run(() => TakeAsync(EventsOf(host).SubscribeAsync(1, position, Stop), 10));
        for (var i = 0; i < 50; i++)
            await StoreOf(host).RaiseAsync(i % 5 == 0 ? [.. Notifications(1), .. Notifications(1, user: 1)] : Notifications(1), Stop);

        foreach (var (after, heard) in hearing)
        {
            var ids = (await heard).Select(told => told.Id).ToList();
            ids.ShouldBeInOrder();
            ids.Distinct().Count().ShouldBe((int)(700 - after) + 50);
        }
        (await other).ShouldAllBe(told => told.UserId == 1);
    }

    [Fact]
    public async Task Without_a_subscriber_nothing_is_read()
    {
        await using var host = await StartAsync();
        var feed = InstanceOf(host).Events;
        feed.IsReading.ShouldBeFalse();
        var position = await feed.ReadPositionAsync(Stop);
        foreach (var _ in Enumerable.Range(0, 3))
        {
            var hearing = TakeAsync(feed.SubscribeAsync(42, position, Stop), 1);
            await StoreOf(host).RaiseAsync(Notifications(1), Stop);
            await hearing;
            await TestHost.UntilAsync(() => !feed.IsReading);
        }
    }

    [Fact]
    public async Task A_subscription_ends_with_its_token_and_with_the_applications_services()
    {
        var host = await StartAsync();
        using var cancel = new CancellationTokenSource();
        var cancelled = TakeAsync(EventsOf(host).SubscribeAsync(42, cancel.Token), 1);
        var left = TakeAsync(EventsOf(host).SubscribeAsync(42, Stop), 1);
        await TestHost.UntilAsync(() => InstanceOf(host).Events.IsReading);

        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => cancelled);
        await TestHost.UntilAsync(() => InstanceOf(host).Events.Count == 1);
        await host.DisposeAsync();
        (await left.WaitAsync(TestHost.Deadline, Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_outage_ends_no_subscription_and_nothing_is_missed()
    {
        using var folder = new TestFolder();
        FaultyStore? faulty = null;
        await using var host = await TestHost.StartAsync(m => m.UseStore((_, clock) => FaultyStore.Around(new SqliteStore(new SqliteFile(folder.File("other.db"), new SqliteOptions()), clock), out faulty)));
        var position = await EventsOf(host).ReadPositionAsync(Stop);
        faulty!.FailuresLeft = 4;
        var hearing = TakeAsync(EventsOf(host).SubscribeAsync(42, position, Stop), 20);
        for (var i = 0; i < 20; i++)
        {
            await StoreOf(host).RaiseAsync(Notifications(1), Stop);
            if (i == 10)
                faulty.FailuresLeft = 2;
        }

        (await hearing).Count.ShouldBe(20);
        faulty.FailuresLeft.ShouldBeLessThanOrEqualTo(0);
    }

    [Fact]
    public void Each_instance_has_events_of_its_own()
    {
        using var folder = new TestFolder();
        using var host = TestHost.Build(m => m.UseSqlite(folder.File("a.db")), services => services.AddMillrace("reports", m => m.UseSqlite(folder.File("b.db"))));

        var own = host.Services.GetRequiredService<IJobEvents>();
        host.Services.GetRequiredKeyedService<IJobEvents>("millrace").ShouldBeSameAs(own);
        host.Services.GetRequiredKeyedService<IJobEvents>("reports").ShouldNotBeSameAs(own);
    }

    // What came within a second of the word before it is not lost, although the handler says nothing more.
    [Fact]
    public async Task The_last_word_about_progress_is_written_while_the_attempt_runs()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await TestHost.StartAsync(m => m
            .AddJob<Tell>(async (job, token) =>
            {
                await job.ReportProgressAsync(10, "begun", token);
                await job.ReportProgressAsync(20, "on the way", token);
                await job.ReportProgressAsync(30, "waiting", token);
                await goOn.Task;
            })
            .AddWorkers());
        var position = await EventsOf(host).ReadPositionAsync(Stop);
        var hearing = TakeAsync(EventsOf(host).SubscribeAsync(42, position, Stop), 2);
        var id = (await host.Jobs.SubmitAsync(new Tell("x"), new JobOptions { UserId = 42 }, Stop)).Id;

        (await hearing).Select(told => told.Percent).ShouldBe([10, 30]);
        var job = (await host.Jobs.FindAsync(id, Stop))!;
        (job.Progress, job.ProgressMessage).ShouldBe((30, "waiting"));
        goOn.SetResult();
        (await host.Jobs.WaitAsync(id, TestHost.Deadline, Stop)).State.ShouldBe(JobState.Succeeded);
    }

    /// <summary>A store whose reading of events fails for a while.</summary>
    private class FaultyStore : DispatchProxy
    {
        private IJobStore inner = null!;
        private int failuresLeft;

        public int FailuresLeft
        {
            get => Volatile.Read(ref failuresLeft);
            set => Volatile.Write(ref failuresLeft, value);
        }

        public static IJobStore Around(IJobStore inner, out FaultyStore faulty)
        {
            var proxy = Create<IJobStore, FaultyStore>();
            faulty = (FaultyStore)(object)proxy;
            faulty.inner = inner;
            return proxy;
        }

        protected override object? Invoke(MethodInfo? method, object?[]? args)
        {
            if (method!.Name is nameof(IJobStore.ReadEventsAsync) or nameof(IJobStore.ReadEventPositionAsync) && Interlocked.Decrement(ref failuresLeft) >= 0)
                throw new StoreException(StoreFault.Unavailable, "The database is away.");
            try
            {
                return method.Invoke(inner, args);
            }
            catch (TargetInvocationException exception) when (exception.InnerException is { } cause)
            {
                ExceptionDispatchInfo.Throw(cause);
                throw;
            }
        }
    }
}
