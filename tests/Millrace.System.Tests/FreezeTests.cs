using System.Globalization;

namespace Millrace.System.Tests;

/// <summary>G2: a process that stood still, and does not know that its jobs were given to others.</summary>
public sealed class FreezeTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Results_of_a_node_that_slept_through_its_death_change_nothing()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        var gate = TestDatabase.Place;
        await using var sleeper = await WorkerProcess.StartAsync(database, expiry: 3);
        var jobs = await client.SubmitAsync(
            Enumerable.Range(0, 10).Select(number => new Hold(gate, number % 2 == 0 ? Manner.Deaf : Manner.DeafInTransaction)));
        await Eventually.IsAsync(() => sleeper.Count("started") == 10, Long, "10 jobs run", () => sleeper.Log);
        var firstName = await IdentityAsync(database, sleeper);

        sleeper.Freeze();
        await using var other = await WorkerProcess.StartAsync(database, expiry: 3);
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == 10, Long, "the other node has done the jobs", () => other.Log);
        await Eventually.IsAsync(
            async () => await database.NumberAsync($"select count(*) from millrace.node where id = '{firstName}' and dead_at is not null and expires_at + interval '3 s' < clock_timestamp()") == 1,
            Long,
            "twice the lease has passed");
        // What is about these jobs only, before the sleeper wakes. A lease may shrink later, and is not among it.
        var before = await ImageAsync(database, jobs);
        var effects = await database.RowsAsync("select * from effect order by job_id, run");

        sleeper.Thaw();
        await Eventually.IsAsync(() => sleeper.Count("returned") + sleeper.Count("threw") == 10, Long, "the sleeper's handlers have ended", () => sleeper.Log);
        var renewed = await Eventually.IsAsync(
            async () => (await IdentitiesAsync(database, sleeper)).Any(id => id != firstName), Long, "the sleeper has a new identity", () => sleeper.Log);
        output.WriteLine($"new identity seen {renewed.TotalSeconds:0.00} s after its handlers ended; in a transaction {sleeper.Events.Count(line => line.Contains(nameof(LeaseLostException), StringComparison.Ordinal))} of 5 were told");

        // It works on, alone, under the new name.
        other.Release();
        (await other.ExitAsync(Long)).ShouldBe(0, other.Log);
        var later = await client.SubmitAsync(Enumerable.Range(0, 10).Select(_ => new Count(1)));
        await Eventually.IsAsync(async () => await database.EndedAsync("succeeded") == 20, Long, "the sleeper works on", () => sleeper.Log);
        var workers = await database.RowsAsync($"select distinct node from millrace.attempt where job_id = any(array[{string.Join(',', later)}])");
        workers.ShouldHaveSingleItem().ShouldNotBe(firstName);

        (await ImageAsync(database, jobs)).ShouldBe(before);
        (await database.RowsAsync($"select * from effect where job_id = any(array[{string.Join(',', jobs)}]) order by job_id, run")).ShouldBe(effects);
        effects.Count.ShouldBe(5);
        (await database.RowsAsync("select count(*), count(distinct (job_id, run)) from millrace.attempt")).ShouldBe(["30|30"]);
        File.Delete(gate);
    }

    private static async Task<string> IdentityAsync(TestDatabase database, WorkerProcess worker) => (await IdentitiesAsync(database, worker)).ShouldHaveSingleItem();

    private static Task<IReadOnlyList<string>> IdentitiesAsync(TestDatabase database, WorkerProcess worker) =>
        database.RowsAsync($"select id from millrace.node where name = '{worker.NodeName}'");

    /// <summary>Every row that says something about these jobs, column by column.</summary>
    private static Task<IReadOnlyList<string>> ImageAsync(TestDatabase database, IReadOnlyList<long> jobs)
    {
        var list = string.Create(CultureInfo.InvariantCulture, $"any(array[{string.Join(',', jobs)}])");
        return database.RowsAsync($"""
            select 'job', id, 0, to_jsonb(j)::text from millrace.job j where id = {list}
            union all select 'attempt', job_id, run, to_jsonb(a)::text || a.xmin::text from millrace.attempt a where job_id = {list}
            union all select 'ready', id, run, to_jsonb(r)::text from millrace.ready r where id = {list}
            union all select 'scheduled', id, run, to_jsonb(s)::text from millrace.scheduled s where id = {list}
            union all select 'waiting', id, run, to_jsonb(w)::text from millrace.waiting w where id = {list}
            order by 1, 2, 3
            """);
    }
}
