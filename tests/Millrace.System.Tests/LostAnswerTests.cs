using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using Millrace.Storage;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>R11, G3, G4: the server commits, and the client is never told.</summary>
public sealed class LostAnswerTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task A_lost_answer_to_a_commit_loses_nothing_and_doubles_nothing()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var submitting = TcpProxy.Start(database.ConnectionString, seed: seed);
        await using var working = TcpProxy.Start(database.ConnectionString, seed: seed + 1);
        await using var worst = TcpProxy.Start(database.ConnectionString, seed: seed + 2);
        await using var client = await TestClient.StartAsync(database, m => m.UsePostgres(submitting.ConnectionString));
        // Gives up where others repeat: its callers meet what is unknown.
        await using var hasty = await TestClient.StartAsync(database, m => m.UsePostgres(worst.ConnectionString).Configure(options => options.SubmitTimeout = TimeSpan.FromMilliseconds(500)));
        var told = new Told();
        // Takes its ids, which is a commit too.
        await SubmitAsync(told, hasty.Jobs, 0);
        await using var worker = await WorkerProcess.StartAsync(database, connection: working.ConnectionString);
        submitting.LostAnswers = working.LostAnswers = 0.02;
        worst.LostAnswers = 0.85;

        await Task.WhenAll(
            Repeat(4, 10, number => SubmitAsync(told, hasty.Jobs, 1 + number)),
            Repeat(4, 100, number => SubmitAsync(told, client.Jobs, 50_000 + number)),
            Repeat(1, 30, number => SubmitManyAsync(told, client.Jobs, 100_000 + (number * 1000), 10)),
            Repeat(1, 1, number => SubmitManyAsync(told, client.Jobs, 200_000 + (number * 1000), 600)),
            Repeat(2, 100, number => SubmitKeyedAsync(told, client.Jobs, 300_000 + number)),
            Repeat(4, 60, number => SubmitInTransactionAsync(told, client, 400_000 + number)));
        await Eventually.IsAsync(
            async () => await database.NumberAsync("select (select count(*) from millrace.job) - (select count(*) from millrace.attempt where outcome = 'succeeded')") == 0,
            Long, "every stored job has succeeded", () => worker.Log);

        output.WriteLine($"{told.Stored.Count} jobs acknowledged, {told.Unknown} submissions unknown and looked up, {told.NotStored.Count} not stored and submitted again, {told.BrokenTransactions} broken transactions; "
            + $"commits lost: {submitting.Commits.Lost} of {submitting.Commits.Seen} of submitters, {worst.Commits.Lost} of {worst.Commits.Seen} of a hasty one, {working.Commits.Lost} of {working.Commits.Seen} of the worker");
        (submitting.Commits.Lost + worst.Commits.Lost).ShouldBeGreaterThan(10);
        working.Commits.Lost.ShouldBeGreaterThan(10);
        // The number that each submission carries is its identity.
        var stored = (await database.RowsAsync("select id, data::jsonb->>'amount' from millrace.job order by id"))
            .Select(row => row.Split('|')).ToDictionary(cells => Number(cells[0]), cells => Number(cells[1]));
        stored.GroupBy(pair => pair.Value).Where(jobs => jobs.Count() > 1)
            .Select(jobs => $"{jobs.Key}: {string.Join(", ", jobs.Select(job => job.Key))}; {told.Story(jobs.Key)}").ShouldBeEmpty("no submission is stored twice");
        told.Stored.Where(pair => !stored.TryGetValue(pair.Key, out var amount) || amount != pair.Value).ShouldBeEmpty("what was acknowledged is stored");
        told.NotStored.Where(stored.ContainsKey).ShouldBeEmpty("what was refused is not");
        stored.Keys.Except(told.Stored.Keys).ShouldBeEmpty("nothing else is");
        told.Kept.Where(id => !stored.ContainsKey(id)).ShouldBeEmpty("a job that was kept is there");
        var sums = (await database.RowsAsync("""
            select coalesce(sum((data::jsonb->>'amount')::bigint), 0), (select sum(balance) from account), (select sum(amount) from effect where run > 0),
                   count(*), (select count(*) from effect where run > 0), (select count(distinct job_id) from effect where run > 0),
                   (select count(*) from millrace.attempt where outcome = 'succeeded')
            from millrace.job
            """)).Single().Split('|').Select(Number).ToArray();
        sums[1].ShouldBe(sums[0], "the accounts hold what the jobs carried");
        sums[2].ShouldBe(sums[0]);
        sums[4].ShouldBe(sums[3], "one effect per job");
        sums[5].ShouldBe(sums[3]);
        sums[6].ShouldBe(sums[3], "each succeeded once");
        // What the submitter wrote beside the job, in its own transaction.
        (await database.IdsAsync("select job_id from effect where run = 0")).ShouldBe(
            stored.Where(pair => pair.Value >= 400_000).Select(pair => pair.Key), ignoreOrder: true, customMessage: "a job and what was written with it are there, or neither");
        NpgsqlConnection.ClearAllPools();
    }

    private static Transfer Submission(int number) => new(number % Jobs.Accounts, number);

    private static async Task SubmitAsync(Told told, IJobClient jobs, int number)
    {
        while (true)
        {
            try
            {
                told.Stored[(await jobs.SubmitAsync(Submission(number))).Id] = number;
                return;
            }
            catch (SubmitException exception)
            {
                if (await told.ResolveAsync(jobs, exception, [number]))
                    return;
            }
        }
    }

    private static async Task SubmitManyAsync(Told told, IJobClient jobs, int first, int count)
    {
        var results = await jobs.SubmitManyAsync(Enumerable.Range(first, count).Select(Submission));
        for (var i = 0; i < count; i++)
            told.Stored[results[i].Id] = first + i;
    }

    private static async Task SubmitKeyedAsync(Told told, IJobClient jobs, int number)
    {
        var result = await jobs.SubmitAsync(Submission(number), new JobOptions { Tag = $"key {number % 20}", WhenPending = WhenPending.Keep });
        if (result.Outcome == Submitted.Created)
            told.Stored[result.Id] = number;
        else
            told.Kept.Add(result.Id);
    }

    private static async Task SubmitInTransactionAsync(Told told, TestClient client, int number)
    {
        while (true)
        {
            var id = 0L;
            try
            {
                await client.Database.WithTransactionAsync(async (transaction, cancellationToken) =>
                {
                    id = (await client.Jobs.SubmitAsync(Submission(number), cancellationToken: cancellationToken)).Id;
                    await using var command = transaction.Connection!.CreateCommand();
                    command.Transaction = transaction;
                    command.CommandText = $"insert into effect (job_id, run, amount) values ({id}, 0, {number})";
                    await command.ExecuteNonQueryAsync(cancellationToken);
                });
                told.Stored[id] = number;
                return;
            }
            catch (Exception exception) when (exception is DbException or IOException or StoreException)
            {
                // The caller's own commit: its job tells what became of it.
                Interlocked.Increment(ref told.BrokenTransactions);
                if (id == 0 || await client.Jobs.FindAsync(id) is null)
                    continue;
                told.Stored[id] = number;
                return;
            }
        }
    }

    private static Task Repeat(int loops, int times, Func<int, Task> submit) => Task.WhenAll(Enumerable.Range(0, loops).Select(loop => Task.Run(async () =>
    {
        for (var i = 0; i < times; i++)
            await submit((loop * times) + i);
    })));

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private sealed class Told
    {
        public int Unknown;

        public int BrokenTransactions;

        /// <summary>Jobs that are stored, by what was said, and the number of each.</summary>
        public ConcurrentDictionary<long, long> Stored { get; } = [];

        public ConcurrentBag<long> Kept { get; } = [];

        public ConcurrentBag<long> NotStored { get; } = [];

        private ConcurrentQueue<(long Number, string Words)> Words { get; } = [];

        public string Story(long number) => string.Join("; ", Words.Where(words => words.Number == number).Select(words => words.Words));

        /// <returns>False when it is to be submitted again.</returns>
        public async Task<bool> ResolveAsync(IJobClient jobs, SubmitException exception, int[] numbers)
        {
            Words.Enqueue((numbers[0], $"{exception.Fault} {string.Join(',', exception.JobIds)} {exception.Message} {exception.InnerException?.GetType().Name}"));
            if (exception.Fault == SubmitFault.NotStored)
            {
                foreach (var id in exception.JobIds)
                    NotStored.Add(id);
                return false;
            }
            Interlocked.Increment(ref Unknown);
            var isStored = false;
            for (var i = 0; i < exception.JobIds.Count; i++)
            {
                if (await jobs.FindAsync(exception.JobIds[i]) is null)
                    continue;
                Stored[exception.JobIds[i]] = numbers[i];
                isStored = true;
            }
            return isStored;
        }
    }
}
