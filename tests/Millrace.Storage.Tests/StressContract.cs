using System.Data;
using Npgsql;

namespace Millrace.Storage.Tests;

[Trait("Speed", "Slow")]
public sealed class StressOnPostgres() : StressContract(new PostgresDatabase());

[Trait("Speed", "Slow")]
public sealed class StressOnPgBouncer() : StressContract(new PgBouncerDatabase());

/// <summary>Many submitters in transactions of their own, with rollbacks. MILLRACE_TEST_SEED repeats a run, MILLRACE_TEST_SCALE makes it longer.</summary>
public abstract class StressContract(PostgresDatabase database) : Contract(database)
{
    private const int Submitters = 64;
    private const int Keys = 2_000;

    private static int Number(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;

    [Fact]
    public async Task However_many_submit_and_roll_back_there_are_never_two_pending_jobs_with_one_key()
    {
        var seed = Number("MILLRACE_TEST_SEED", Random.Shared.Next());
        var rounds = 40 * Number("MILLRACE_TEST_SCALE", 1);
        TestContext.Current.SendDiagnosticMessage($"MILLRACE_TEST_SEED={seed}");
        TestContext.Current.TestOutputHelper?.WriteLine($"MILLRACE_TEST_SEED={seed}");
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = Submitters, NoResetOnClose = true, Timeout = 60 };
        await using var source = NpgsqlDataSource.Create(settings.ConnectionString);
        using var done = new CancellationTokenSource();
        var conflicts = 0;
        var committed = 0;

        async Task SubmitterAsync(int number)
        {
            var random = new Random(seed + number);
            IsolationLevel[] levels = [IsolationLevel.ReadCommitted, IsolationLevel.RepeatableRead, IsolationLevel.Serializable];
            for (var i = 0; i < rounds; i++)
            {
                await using var connection = await source.OpenConnectionAsync(Stop);
                await using var transaction = await connection.BeginTransactionAsync(levels[random.Next(3)], Stop);
                try
                {
                    // Half of them meet on a few hot keys.
                    var jobs = Enumerable.Range(0, random.Next(1, 4)).Select(_ =>
                        Some.Job(key: Some.Key($"key-{random.Next(random.Next(2) == 0 ? 20 : Keys)}", (WhenPending)random.Next(1, 4)))).ToArray();
                    await Store.SubmitAsync(jobs, transaction, Stop);
                    if (random.Next(4) == 0)
                    {
                        await transaction.RollbackAsync(Stop);
                        continue;
                    }
                    await transaction.CommitAsync(Stop);
                    Interlocked.Increment(ref committed);
                }
                catch (StoreException e) when (e.Fault == StoreFault.Conflict)
                {
                    Interlocked.Increment(ref conflicts);
                }
                catch (NpgsqlException e) when (Store.Classify(e) == StoreFault.Conflict)
                {
                    Interlocked.Increment(ref conflicts);
                }
            }
        }

        async Task WorkerAsync(TestNode node, int number)
        {
            var random = new Random(seed - number);
            Outcome[] outcomes = [Outcome.Succeeded, Outcome.Failed, Outcome.Snoozed, Outcome.Released];
            while (!done.IsCancellationRequested)
            {
                var claims = await RepeatAsync(() => node.ClaimAsync(20));
                if (claims.Count > 0)
                    await RepeatAsync(() => node.EndAllAsync([.. claims.Select(claim => node.End(claim, outcomes[random.Next(4)]))]));
                await RepeatAsync(() => Store.TidyAsync(Stop));
            }
        }

        var nodes = await Task.WhenAll(NodeAsync(), NodeAsync());
        var working = nodes.Select((node, i) => Task.Run(() => WorkerAsync(node, i + 1), Stop)).ToArray();
        await Task.WhenAll(Enumerable.Range(0, Submitters).Select(number => Task.Run(() => SubmitterAsync(number), Stop)));
        await done.CancelAsync();
        await Task.WhenAll(working);
        await Store.TidyAsync(Stop);

        TestContext.Current.TestOutputHelper?.WriteLine($"{committed} transactions committed, {conflicts} conflicts");
        committed.ShouldBeGreaterThan(0);
        const string pending = "select id from millrace.ready union all select id from millrace.scheduled union all select id from millrace.waiting";
        (await Database.QueryAsync($"select key, count(*) from millrace.job join ({pending}) p using (id) where key is not null group by key having count(*) > 1"))
            .ShouldBeEmpty();
        (await Database.QueryAsync($"select id from millrace.job join ({pending}) p using (id) where not exists (select from millrace.unique_key u where u.key = job.key and u.job_id = job.id)"))
            .ShouldBeEmpty("a pending job holds its key");
        (await Database.QueryAsync($"select id, count(*) from ({pending}) p group by id having count(*) > 1")).ShouldBeEmpty();
    }
}
