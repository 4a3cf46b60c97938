using System.Reflection;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Tests.Inspecting;

public sealed class BulkChangeTests
{
    private static readonly JobChange retry = new(OperationKind.Retry);

    private readonly FakeStore fake = new();

    [Fact]
    public async Task All_matching_jobs_are_changed_page_by_page()
    {
        fake.Matches.AddRange(Enumerable.Range(1, 1_234).Select(id => (long)id));
        var reports = new List<(long Done, long Skipped)>();

        var record = await RunAsync(most: 2_000, progress: new Listener(reports));

        fake.Batches.Select(batch => batch.Count).ShouldBe([500, 500, 234]);
        fake.Batches.SelectMany(batch => batch).ShouldBe(fake.Matches);
        reports.ShouldBe([(500, 0), (1_000, 0), (1_234, 0)]);
        record.Error.ShouldBeNull();
    }

    [Fact]
    public async Task No_more_are_changed_than_the_preview_counted()
    {
        fake.Matches.AddRange(Enumerable.Range(1, 1_000).Select(id => (long)id));

        await RunAsync(most: 510);

        fake.Batches.Select(batch => batch.Count).ShouldBe([500, 10]);
    }

    [Fact]
    public async Task Jobs_that_cannot_be_changed_do_not_count()
    {
        fake.Matches.AddRange(Enumerable.Range(1, 600).Select(id => (long)id));
        fake.CanChange = id => id % 2 == 0;

        await RunAsync(most: 300);

        fake.Batches.SelectMany(batch => batch).Count(fake.CanChange).ShouldBe(300);
    }

    [Fact]
    public async Task Queues_with_something_to_claim_are_rung()
    {
        fake.Matches.Add(1);

        await RunAsync(most: 1);

        fake.Rung.ShouldBe(["mail"]);
    }

    [Fact]
    public async Task A_stop_ends_it_after_the_batch_at_hand()
    {
        fake.Matches.AddRange(Enumerable.Range(1, 2_000).Select(id => (long)id));
        using var stop = new CancellationTokenSource();
        fake.AfterBatch = stop.Cancel;

        var record = await RunAsync(most: 2_000, token: stop.Token);

        record.Error.ShouldBe("It was stopped.");
        fake.Batches.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_fault_of_the_database_ends_it_and_is_recorded()
    {
        fake.Matches.AddRange([1, 2]);
        fake.AfterBatch = () => throw new StoreException(StoreFault.Unavailable, "The database is away.", null);

        (await RunAsync(most: 2)).Error.ShouldBe("The database is away.");
    }

    [Fact]
    public async Task A_long_search_says_in_between_that_it_goes_on()
    {
        fake.EmptyPages = 25;

        await RunAsync(most: 2);

        fake.Batches.Count.ShouldBe(2);
        fake.Batches.ShouldAllBe(batch => batch.Count == 0);
    }

    [Fact]
    public async Task One_that_was_ended_from_elsewhere_stops()
    {
        fake.Matches.AddRange(Enumerable.Range(1, 2_000).Select(id => (long)id));
        fake.CanChange = _ => false;
        fake.IsEnded = true;

        await RunAsync(most: 2_000);

        fake.Batches.Count.ShouldBe(1);
    }

    private Task<OperationRecord> RunAsync(long most, IProgress<(long Done, long Skipped)>? progress = null, CancellationToken token = default) =>
        new BulkChange(fake.Store).RunAsync(5, JobFilter.All, retry, long.MaxValue, most, progress, token);

    private sealed class Listener(List<(long Done, long Skipped)> heard) : IProgress<(long Done, long Skipped)>
    {
        public void Report((long Done, long Skipped) value) => heard.Add(value);
    }

    /// <summary>Ids that match, and what is done to them.</summary>
    private sealed class FakeStore
    {
        public FakeStore()
        {
            Store = Make<IJobStore>();
            inspection = Make<IJobInspection>();
            operations = Make<IJobOperations>();
        }

        private readonly IJobInspection inspection;
        private readonly IJobOperations operations;

        public IJobStore Store { get; }

        public List<long> Matches { get; } = [];

        public Func<long, bool> CanChange { get; set; } = _ => true;

        /// <summary>Pages without a match, before all others.</summary>
        public int EmptyPages { get; set; }

        public bool IsEnded { get; set; }

        public Action AfterBatch { get; set; } = () => { };

        public List<IReadOnlyList<long>> Batches { get; } = [];

        public List<string> Rung { get; } = [];

        private TInterface Make<TInterface>()
            where TInterface : class
        {
            var proxy = DispatchProxy.Create<TInterface, Proxy>();
            ((Proxy)(object)proxy).Owner = this;
            return proxy;
        }

        private object? Answer(string method, object?[] args)
        {
            switch (method)
            {
                case "get_Inspection":
                    return inspection;
                case "get_Operations":
                    return operations;
                case nameof(IJobInspection.ReadMatchesAsync):
                    ((CancellationToken)args[4]!).ThrowIfCancellationRequested();
                    if (EmptyPages-- > 0)
                        return Task.FromResult(new IdPage([], (long)args[1]!));
                    var ids = Matches.Where(id => id > (long)args[1]!).Take((int)args[3]!).ToList();
                    return Task.FromResult(new IdPage(ids, ids.Count == (int)args[3]! ? ids[^1] : null));
                case nameof(IJobOperations.ApplyAsync):
                    var batch = (IReadOnlyList<long>)args[2]!;
                    Batches.Add(batch);
                    AfterBatch();
                    return Task.FromResult(new BatchAnswer(batch.Count(CanChange), batch.Count(id => !CanChange(id)), ["mail"]));
                case nameof(IJobStore.RingAsync):
                    Rung.AddRange((IReadOnlyCollection<string>)args[0]!);
                    return Task.CompletedTask;
                case nameof(IJobOperations.EndAsync):
                    return Task.FromResult(Record((long)args[0]!, (string?)args[1]));
                case nameof(IJobInspection.FindOperationAsync):
                    return Task.FromResult<OperationRecord?>(Record((long)args[0]!, null));
                default:
                    throw new NotSupportedException(method);
            }
        }

        private OperationRecord Record(long id, string? error) => new()
        {
            Id = id, Kind = OperationKind.Retry, At = default, Author = new Author("ann", "code"), Target = "", Error = error, Ended = IsEnded ? default(DateTimeOffset) : null,
        };

        internal class Proxy : DispatchProxy
        {
            public FakeStore? Owner { get; set; }

            protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Owner!.Answer(targetMethod!.Name, args!);
        }
    }
}
