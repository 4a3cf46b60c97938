using System.Diagnostics;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class StatBookTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset noon = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Guid node = Guid.NewGuid();

    private readonly StatBook book = new();
    private readonly Ledger ledger = new();

    [Fact]
    public async Task Ends_are_counted_by_minute_queue_type_and_outcome()
    {
        var mail = book.Open("mail");
        var other = book.Open("other");
        Count(mail, noon.AddSeconds(1), "a", Outcome.Succeeded);
        Count(mail, noon.AddSeconds(2), "a", Outcome.Succeeded);
        Count(mail, noon.AddSeconds(3), "a", Outcome.Failed);
        Count(mail, noon.AddSeconds(4), "b", Outcome.Succeeded);
        Count(mail, noon.AddSeconds(61), "a", Outcome.Succeeded);
        Count(other, noon.AddSeconds(1), "a", Outcome.Succeeded);

        await SaveAsync();

        ledger.Rows.OrderBy(row => (row.Queue, row.Bucket, row.Type, row.Outcome)).Select(row => (row.Queue, (row.Bucket - noon).TotalMinutes, row.Type, row.Outcome, row.Count, row.Node)).ShouldBe(
        [
            ("mail", 0, "a", Outcome.Succeeded, 2, node),
            ("mail", 0, "a", Outcome.Failed, 1, node),
            ("mail", 0, "b", Outcome.Succeeded, 1, node),
            ("mail", 1, "a", Outcome.Succeeded, 1, node),
            ("other", 0, "a", Outcome.Succeeded, 1, node),
        ]);
        ledger.Rows.ShouldAllBe(row => row.Wait.Count == row.Count && row.Run.Count == row.Count);
        ledger.Rows[0].Wait.Percentile(0.5)!.Value.TotalSeconds.ShouldBe(2, 0.5);
        ledger.Rows[0].Run.Percentile(0.5)!.Value.TotalSeconds.ShouldBe(3, 0.7);
    }

    [Fact]
    public async Task An_end_is_counted_as_it_was_stored_and_a_stale_one_not_at_all()
    {
        var ends = Enum.GetValues<EndVerdict>().Select(_ => End("a", Outcome.Failed)).ToArray();

        book.Open("mail").Count(
            new Turn { Node = node, Queue = "mail", Types = [], Ends = ends, Settled = [End("a", Outcome.Succeeded)] },
            new TurnAnswer { Ends = Enum.GetValues<EndVerdict>(), Claims = [], Now = noon });
        await SaveAsync();

        ledger.Rows.Select(row => (row.Outcome, row.Count)).ShouldBe([(Outcome.Succeeded, 1), (Outcome.Failed, 1), (Outcome.Cancelled, 1), (Outcome.Superseded, 1)]);
    }

    [Fact]
    public async Task Runs_of_a_dead_node_are_counted_by_who_took_them_back_and_have_no_times()
    {
        Count(book.Open("mail"), noon.AddSeconds(1), "a", Outcome.Interrupted);
        RescuedRun[] runs = [new("mail", "a", Outcome.Interrupted, noon.AddSeconds(2)), new("mail", "a", Outcome.Discarded, noon.AddSeconds(2)), new("other", "b", Outcome.Interrupted, noon.AddSeconds(61))];

        book.Count(new RescueAnswer(2, 1, 0, ["mail", "other"]) { Runs = runs }, node);
        await SaveAsync();

        ledger.Rows.Select(row => (row.Queue, (row.Bucket - noon).TotalMinutes, row.Type, row.Outcome, row.Count, row.Run.Count)).ShouldBe(
            [("mail", 0, "a", Outcome.Interrupted, 2, 1), ("mail", 0, "a", Outcome.Discarded, 1, 0), ("other", 1, "b", Outcome.Interrupted, 1, 0)], ignoreOrder: true);
    }

    [Fact]
    public async Task A_row_holds_all_of_its_minute_and_is_saved_only_when_it_changed()
    {
        var mail = book.Open("mail");
        Count(mail, noon, "a", Outcome.Succeeded);
        await SaveAsync();
        await SaveAsync();
        ledger.Calls.ShouldBe(1);
        Count(mail, noon.AddSeconds(9), "a", Outcome.Succeeded);
        await SaveAsync();

        ledger.Calls.ShouldBe(2);
        ledger.Rows[^1].Count.ShouldBe(2);
    }

    [Fact]
    public async Task What_could_not_be_saved_is_saved_the_next_time()
    {
        var mail = book.Open("mail");
        Count(mail, noon, "a", Outcome.Succeeded);
        ledger.Fault = new StoreException(StoreFault.Unavailable, "away", null);
        await Should.ThrowAsync<StoreException>(SaveAsync);
        ledger.Fault = null;
        Count(mail, noon, "a", Outcome.Succeeded);
        await SaveAsync();

        ledger.Rows.ShouldHaveSingleItem().Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_end_that_is_counted_while_rows_are_saved_is_in_the_next_ones()
    {
        var mail = book.Open("mail");
        Count(mail, noon, "a", Outcome.Succeeded);
        ledger.WhileSaving = () => Count(mail, noon, "a", Outcome.Succeeded);
        await SaveAsync();
        ledger.WhileSaving = null;
        await SaveAsync();

        ledger.Rows.Select(row => row.Count).ShouldBe([1, 2]);
    }

    [Fact]
    public async Task A_minute_that_was_let_go_is_never_opened_again()
    {
        var mail = book.Open("mail");
        for (var minute = 0; minute < 5; minute++)
            Count(mail, noon.AddMinutes(minute), "a", Outcome.Succeeded);
        await SaveAsync();
        // A loop that is a little late, and a clock that was set back by hours.
        Count(mail, noon.AddMinutes(3), "a", Outcome.Succeeded);
        Count(mail, noon.AddHours(-3), "a", Outcome.Succeeded);
        ledger.Rows.Clear();
        await SaveAsync();

        ledger.Rows.Select(row => (row.Bucket, row.Count)).ShouldBe([(noon.AddMinutes(3), 3)]);
    }

    [Fact]
    public void While_nothing_can_be_saved_the_book_does_not_grow_for_ever()
    {
        var mail = book.Open("mail");
        for (var minute = 0; minute < 500; minute++)
            Count(mail, noon.AddMinutes(minute), "a", Outcome.Succeeded);

        List<StatRow> rows = [];
        mail.Read(rows);
        rows.Count.ShouldBe(60);
    }

    [Fact]
    public void Counting_makes_nothing_anew()
    {
        var mail = book.Open("mail");
        var turn = new Turn { Node = node, Queue = "mail", Types = [], Ends = [.. Enumerable.Repeat(End("a", Outcome.Succeeded), 100)] };
        var answer = new TurnAnswer { Ends = new EndVerdict[100], Claims = [], Now = noon };
        mail.Count(turn, answer);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < 1_000; i++)
            mail.Count(turn, answer);

        GC.GetAllocatedBytesForCurrentThread().ShouldBe(before);
        output.WriteLine($"{Stopwatch.GetElapsedTime(began).TotalNanoseconds / 100_000:0} ns for each end");
    }

    [Fact]
    public async Task A_host_saves_its_counts_at_the_latest_when_it_stops()
    {
        using var folder = new TestFolder();
        await using (var host = await TestHost.StartAsync(m => m.AddJob<Quick>((job, _) => job.Attempt == 1 && job.Data.Fails ? throw new InvalidOperationException("no") : Task.CompletedTask, RetryPolicy.Every(TimeSpan.Zero)).AddWorkers(), folder: folder))
        {
            foreach (var fails in (bool[])[false, false, true])
                await host.Jobs.WaitAsync((await host.Jobs.SubmitAsync(new Quick(fails))).Id, TestHost.Deadline);
        }

        await using var reader = await TestHost.StartAsync(_ => { }, folder: folder);
        var store = reader.Services.GetRequiredKeyedService<IJobStore>("millrace");
        var now = await store.Inspection.ReadClockAsync(default);
        var rows = await store.Inspection.ReadStatsAsync(
            new StatQuery { From = now.AddMinutes(-5), To = now.AddMinutes(1), Step = TimeSpan.FromMinutes(1), Type = "quick" }, default);
        rows.GroupBy(row => row.Outcome).ToDictionary(group => group.Key, group => group.Sum(row => row.Count)).ShouldBe(
            new Dictionary<Outcome, long> { [Outcome.Succeeded] = 3, [Outcome.Failed] = 1 }, ignoreOrder: true);
    }

    private Task SaveAsync() => book.SaveAsync(ledger.Store, default);

    private static void Count(StatPage page, DateTimeOffset now, string type, Outcome outcome) => page.Count(
        new Turn { Node = node, Queue = "mail", Types = [], Ends = [End(type, outcome)] },
        new TurnAnswer { Ends = [EndVerdict.Accepted], Claims = [], Now = now });

    private static AttemptEnd End(string type, Outcome outcome) => new()
    {
        Claim = new Claim { Lease = Guid.Empty, JobId = 1, Run = 1, Attempt = 1, Type = type, Queue = "mail", Data = "null", Ready = noon },
        Outcome = outcome,
        Charged = true,
        Started = noon.AddSeconds(2),
        Finished = noon.AddSeconds(5),
    };

    [Job("quick")]
    internal sealed record Quick(bool Fails);

    /// <summary>A store that takes counts and nothing else.</summary>
    private sealed class Ledger
    {
        public Ledger()
        {
            Store = DispatchProxy.Create<IJobStore, Proxy>();
            ((Proxy)(object)Store).Owner = this;
        }

        public IJobStore Store { get; }

        public List<StatRow> Rows { get; } = [];

        public int Calls { get; private set; }

        public StoreException? Fault { get; set; }

        public Action? WhileSaving { get; set; }

        private Task SaveAsync(IReadOnlyList<StatRow> rows)
        {
            if (Fault is not null)
                return Task.FromException(Fault);
            Calls++;
            Rows.AddRange(rows);
            WhileSaving?.Invoke();
            return Task.CompletedTask;
        }

        internal class Proxy : DispatchProxy
        {
            public Ledger? Owner { get; set; }

            protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
                targetMethod!.Name == nameof(IJobStore.SaveStatsAsync) ? Owner!.SaveAsync((IReadOnlyList<StatRow>)args![0]!) : throw new NotSupportedException(targetMethod.Name);
        }
    }
}
