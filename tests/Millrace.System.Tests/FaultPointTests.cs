using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Millrace.Postgres;
using Millrace.Sqlite;
using Millrace.Storage;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>R12: whichever call to the database fails, and however, what is stored stays legal, and the next run heals it.</summary>
public sealed class FaultPointTests(ITestOutputHelper output)
{
    private const int Points = 60;

    private static readonly string[] Operations =
    [
        nameof(IJobStore.RegisterAsync), nameof(IJobStore.TakeIdsAsync), nameof(IJobStore.SubmitAsync), nameof(IJobStore.TurnAsync), nameof(IJobStore.CompleteAsync), nameof(IJobStore.CancelAsync),
        nameof(IJobStore.RetryAsync), nameof(IJobStore.RescueAsync), nameof(IJobStore.TickAsync), nameof(IJobStore.PromoteAsync), nameof(IJobStore.PutScheduleAsync), nameof(IJobStore.SaveOnceAsync),
        nameof(IJobStore.SurveyAsync),
    ];

    // Each has a database of its own. Most of a point's time is waiting.
    private const int Lanes = 8;

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    [Trait("Speed", "Slow")]
    public async Task Whichever_call_fails_what_is_stored_stays_legal_and_the_next_run_heals_it(string kind)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        // Each of the first sixty calls, and the first of each operation: which of them are among the sixty is a matter of time. A short run lets each of the sixty fail in
        // one way only, another with each seed.
        var points = new ConcurrentQueue<Point>(
            from point in Enumerable.Range(1, Points).Select(n => (N: n, Only: (string?)null)).Concat(Operations.Select(operation => (N: 1, Only: (string?)operation)))
            from mishap in Enum.GetValues<Mishap>()
            where Scale.IsLong || point.Only is not null || (point.N + (seed % 3)) % 3 == (int)mishap
            select new Point(point.N, point.Only, mishap));
        var reports = new ConcurrentBag<Report>();
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => Task.Run(async () =>
        {
            await using var database = await TestDatabase.CreateAsync(kind);
            await using var plain = Open(database);
            await plain.MigrateAsync(true, TestContext.Current.CancellationToken);
            await using var eye = await database.ConnectAsync();
            while (points.TryDequeue(out var point))
                reports.Add(await new Lane(database, plain, eye, point, unchecked(seed + point.N)).RunAsync());
        })));

        output.WriteLine($"{kind}: {reports.Count} points in {watch.Elapsed.TotalSeconds:0} s, {reports.Count(report => report.Failed is not null)} of them were reached; "
            + $"{reports.Count(report => report.HealedItself)} runs finished everything by themselves, the next run the rest");
        output.WriteLine(string.Join(", ", reports.GroupBy(report => report.Failed ?? "none").OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Key} {group.Count()}")));
        reports.Where(report => report.Faults.Count > 0)
            .Select(report => $"{report.Point} at {report.Failed}: {string.Join("; ", report.Faults)}").ShouldBeEmpty();
        // A number that is not reached says nothing.
        reports.Count(report => report.Failed is not null).ShouldBeGreaterThan(reports.Count * 9 / 10);
        Operations.Except(reports.Select(report => report.Failed)).ShouldBeEmpty("each of these has failed once");
        NpgsqlConnection.ClearAllPools();
    }

    private static IJobStore Open(TestDatabase database)
    {
        var clock = new StoreClock(TimeProvider.System);
        return database.Kind == "postgres"
            ? new PostgresStore(new NpgsqlConnectionStringBuilder(database.ConnectionString), new PostgresOptions(), clock)
            : new SqliteStore(new SqliteFile(database.ConnectionString, new SqliteOptions { Synchronous = SqliteSynchronous.Normal }), clock);
    }

    /// <summary>The n-th call, of all or of one operation.</summary>
    private sealed record Point(int N, string? Only, Mishap Mishap);

    private sealed record Report(Point Point, string? Failed, bool HealedItself, IReadOnlyList<string> Faults);

    /// <summary>One job as it is stored.</summary>
    private sealed record Row(long Id, int Places, int Next, int Run, string Outcome, int Successes, int Effects, int Companions, string Data, string Schedule)
    {
        public bool IsDone => Places == 0 && Outcome is "succeeded" or "discarded" or "cancelled" or "replaced" or "superseded";

        public bool IsLegal => Places == 1 ? Next == Run + 1 : IsDone;

        public static Row Of(string text)
        {
            var cells = text.Split('|', 10);
            int Number(int cell) => int.Parse(cells[cell], CultureInfo.InvariantCulture);
            return new Row(long.Parse(cells[0], CultureInfo.InvariantCulture), Number(1), Number(2), Number(3), cells[4], Number(5), Number(6), Number(7), cells[8], cells[9]);
        }
    }

    /// <summary>One point: a run of which one call fails, and a run that heals.</summary>
    private sealed class Lane(TestDatabase database, IJobStore plain, DbConnection eye, Point point, int seed)
    {
        private readonly List<string> faults = [];
        private readonly HashSet<long> acknowledged = [];
        private readonly HashSet<long> refused = [];
        private readonly string name = $"{point.N} {point.Only} {point.Mishap}";
        private long delayed;

        public async Task<Report> RunAsync()
        {
            var from = await NumberAsync($"select coalesce(max(id), 0) from {database.Table("job")}");
            await LeaveWorkOfTheDeadAsync();
            var (store, failing) = FaultyStore.Create(Open(database), point.Mishap, point.N, Patience, seed, point.Only);
            var healed = false;
            await using (var services = Services(store))
            {
                if (await StartAsync(services))
                {
                    await AskAsync(services);
                    healed = await IsDoneAsync(from, TimeSpan.FromSeconds(5));
                }
                await StopAsync(services);
            }
            var rows = await RowsAsync(from);
            foreach (var row in rows.Where(row => !row.IsLegal))
                faults.Add($"illegal after the fault: {row}");
            // Where nothing is left to heal another run has nothing to show.
            if (!healed || !rows.All(row => row.IsDone) || await LeasesAsync() > 0)
                await HealAsync(from);
            await plain.RemoveScheduleAsync(name, TestContext.Current.CancellationToken);
            await CheckAsync(from);
            return new Report(point, failing.Failed, healed, faults);
        }

        private async Task HealAsync(long from)
        {
            await using var services = Services(Open(database));
            if (!await StartAsync(services))
                faults.Add("the next run does not start");
            if (delayed > 0 && (await RowsAsync(from)).Any(row => row.Id == delayed && !row.IsDone))
                await services.GetRequiredService<IJobClient>().RetryAsync(delayed);
            if (!await IsDoneAsync(from, Long))
                faults.Add("not healed");
            await StopAsync(services);
        }

        private Task<long> LeasesAsync() => NumberAsync($"select count(*) from {database.Table("lease")}");

        private async Task CheckAsync(long from)
        {
            var rows = await RowsAsync(from);
            foreach (var row in rows)
            {
                if (!row.IsLegal || !row.IsDone)
                    faults.Add($"not finished: {row}");
                // A retry is a person's wish: when its answer is lost it is asked for again, and a job that has run meanwhile runs once more.
                if (row.Successes != 1 && row.Outcome == "succeeded" && !(row.Id == delayed && row.Successes == 2))
                    faults.Add($"succeeded more than once: {row}");
                if (row.Effects != (row.Data.Contains("settle", StringComparison.Ordinal) ? 1 : 0))
                    faults.Add($"effects: {row}");
                if (row.Companions != (row.Data.Contains("companion", StringComparison.Ordinal) ? 1 : 0))
                    faults.Add($"what was written beside it: {row}");
            }
            var stored = rows.Select(row => row.Id).ToHashSet();
            faults.AddRange(acknowledged.Where(id => !stored.Contains(id)).Select(id => $"acknowledged and lost: {id}"));
            faults.AddRange(refused.Where(stored.Contains).Select(id => $"refused and stored: {id}"));
            if (rows.GroupBy(row => row.Schedule).Any(ticks => ticks.Key.Length > 0 && ticks.Count() > 1))
                faults.Add("a tick was fired twice");
            if (await NumberAsync($"select count(*) from effect e where run = 0 and not exists (select 1 from {database.Table("job")} j where j.id = e.job_id)") is var lonely and > 0)
                faults.Add($"{lonely} effects of transactions whose job is not stored");
            if (await LeasesAsync() is var leases and > 0)
                faults.Add($"{leases} leases are left");
        }

        /// <summary>Everything a program asks for. What fails is written down as it was told.</summary>
        private async Task AskAsync(IServiceProvider services)
        {
            var jobs = services.GetRequiredService<IJobClient>();
            var pool = services.GetRequiredKeyedService<DbDataSource>("millrace");
            await TryAsync(async () => delayed = (await jobs.SubmitAsync(new Step("plain"), new JobOptions { Delay = TimeSpan.FromHours(1) })).Id);
            if (delayed > 0)
            {
                await TryAsync(() => jobs.CancelAsync(delayed));
                await TryAsync(() => jobs.RetryAsync(delayed));
            }
            await TryAsync(async () => await jobs.SubmitAsync(new Step("tick"), new JobOptions { Tag = name, CronSchedule = "0 0 0 1 1 *", Persistent = true }));
            await LookAsync(database.Kind == "postgres"
                ? $"update millrace.schedule set next_due = clock_timestamp() where name = '{name}'"
                : $"update millrace_schedule set next_due = cast((julianday('now') - 2440587.5) * 86400000000 as integer) where name = '{name}'");
            await TryAsync(async () => Keep(await jobs.SubmitAsync(new Step("settle"))));
            await TryAsync(async () => Keep(await jobs.SubmitAsync(new Step("once"))));
            await TryAsync(() => pool.WithTransactionAsync(async (transaction, cancellationToken) =>
            {
                var id = (await jobs.SubmitAsync(new Step("companion"), cancellationToken: cancellationToken)).Id;
                await WriteAsync(transaction, id, 0, cancellationToken);
            }));
            await TryAsync(async () => Keep(await jobs.SubmitAsync(new Step("flaky"))));
            foreach (var result in await TryAsync(() => jobs.SubmitManyAsync(Enumerable.Repeat(new Step("plain"), 3))) ?? [])
                Keep(result);
            await TryAsync(async () => Keep(await jobs.SubmitAsync(new Step("snooze"))));
            for (var i = 0; i < 2; i++)
                await TryAsync(async () => Keep(await jobs.SubmitAsync(new Step("plain"), new JobOptions { Tag = $"key {name}", WhenPending = WhenPending.Keep, Delay = TimeSpan.FromMilliseconds(30) })));
        }

        private void Keep(SubmitResult result) => acknowledged.Add(result.Id);

        private async Task TryAsync(Func<Task> ask) => await TryAsync(async () =>
        {
            await ask();
            return true;
        });

        private async Task<T?> TryAsync<T>(Func<Task<T>> ask)
        {
            try
            {
                return await ask();
            }
            catch (SubmitException exception)
            {
                if (exception.Fault == SubmitFault.NotStored)
                    refused.UnionWith(exception.JobIds);
            }
            catch (Exception exception) when (exception is StoreException or DbException)
            {
                // What came of it is looked at in the end.
            }
            catch (Exception exception)
            {
                faults.Add($"a fault that is not typed: {exception}");
            }
            return default;
        }

        /// <summary>A node took two jobs and left, and another fell silent with one.</summary>
        private async Task LeaveWorkOfTheDeadAsync()
        {
            var stop = TestContext.Current.CancellationToken;
            // A node of SQLite is dead when its store has given up the lock.
            await using var own = database.Kind == "sqlite" ? Open(database) : null;
            var store = own ?? plain;
            foreach (var count in new[] { 2, 1 })
            {
                var node = Guid.NewGuid();
                await store.RegisterAsync(new NewNode { Id = node, Name = "the dead", Expiry = TimeSpan.FromMilliseconds(200), Types = ["step"], Queues = ["default"] }, stop);
                var ids = await store.TakeIdsAsync(count, stop);
                await store.SubmitAsync([.. Enumerable.Range(0, count).Select(i => new NewJob { Id = ids.First + i, Nonce = seed, Type = "step", Data = """{"name":"plain"}""" })], null, stop);
                await store.TurnAsync(new Turn { Node = node, Queue = "default", Types = ["step"], Want = count, Lease = Guid.NewGuid() }, stop);
                if (count == 2)
                    await store.LeaveAsync(node, stop);
            }
        }

        private static ServiceProvider Services(IJobStore store)
        {
            var services = new ServiceCollection();
            services.AddLogging();
            services.AddMillrace(m => m
                .UseStore((_, _) => store)
                .AddJob<Step>(RunAsync, RetryPolicy.Every(TimeSpan.FromMilliseconds(10)))
                .Configure(options => (options.SubmitTimeout, options.RemoveOldWorkerJobs, options.MaxAttempts) = (TimeSpan.FromSeconds(2), null, 100))
                .AddWorkers(workers => (workers.NodeExpiry, workers.PollInterval, workers.ShutdownGrace) = (TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2))));
            return services.BuildServiceProvider();
        }

        private static async Task RunAsync(JobContext<Step> job, CancellationToken cancellationToken)
        {
            switch (job.Data.Name)
            {
                case "settle":
                    await job.CompleteInTransactionAsync((transaction, token) => WriteAsync(transaction, job.Id, (int)job.Fence, token), cancellationToken);
                    break;
                case "flaky" when job.Attempt == 1:
                    throw new InvalidOperationException("On purpose.");
                case "snooze" when job.Fence == 1:
                    throw job.Snooze(TimeSpan.FromMilliseconds(10));
                case "once":
                    await job.OnceAsync("step", _ => Task.CompletedTask, cancellationToken);
                    await job.ReportProgressAsync(50, "half", cancellationToken);
                    await job.SubmitAsync(new Step("plain"), cancellationToken: cancellationToken);
                    job.Then(new Step("plain"));
                    break;
            }
        }

        private static async Task WriteAsync(DbTransaction transaction, long job, int run, CancellationToken cancellationToken)
        {
            await using var command = transaction.Connection!.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = string.Create(CultureInfo.InvariantCulture, $"insert into effect (job_id, run, amount) values ({job}, {run}, 1)");
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        private static async Task<bool> StartAsync(IServiceProvider services)
        {
            try
            {
                foreach (var service in services.GetServices<IHostedService>())
                    await service.StartAsync(TestContext.Current.CancellationToken);
                return true;
            }
            catch (Exception exception) when (exception is StoreException or SetupException or SubmitException)
            {
                return false;
            }
        }

        private static async Task StopAsync(IServiceProvider services)
        {
            foreach (var service in services.GetServices<IHostedService>())
                await service.StopAsync(CancellationToken.None);
        }

        private async Task<bool> IsDoneAsync(long from, TimeSpan within)
        {
            var watch = Stopwatch.StartNew();
            var pending = $"select (select count(*) from {database.Table("ready")}) + (select count(*) from {database.Table("scheduled")}) + (select count(*) from {database.Table("waiting")})";
            // The cheap question first: the other is asked of every job.
            while (await NumberAsync(pending) > 0 || !(await RowsAsync(from)).All(row => row.IsDone))
            {
                if (watch.Elapsed > within)
                    return false;
                await Eventually.PauseAsync(TimeSpan.FromMilliseconds(50));
            }
            return true;
        }

        private async Task<long> NumberAsync(string sql) => long.Parse((await LookAsync(sql)).Single(), CultureInfo.InvariantCulture);

        /// <summary>On the lane's own connection: a new one for each look would be most of the work.</summary>
        private async Task<List<string>> LookAsync(string sql)
        {
            await using var command = eye.CreateCommand();
            command.CommandText = sql;
            await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            var rows = new List<string>();
            while (await reader.ReadAsync(TestContext.Current.CancellationToken))
                rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(column => Convert.ToString(reader.GetValue(column), CultureInfo.InvariantCulture))));
            return rows;
        }

        private async Task<List<Row>> RowsAsync(long from)
        {
            var listed = database.Kind == "postgres"
                ? "select u.job_id as id, u.run as run from millrace.lease l cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)"
                : "select u.value as id, json_extract(l.runs, '$[' || u.key || ']') as run from millrace_lease l join json_each(l.job_ids) u";
            var rows = await LookAsync($"""
                with place as (
                    select id, run from {database.Table("ready")}
                    union all select id, run from {database.Table("scheduled")}
                    union all select id, run from {database.Table("waiting")}
                    union all select listed.id, listed.run from ({listed}) listed
                        where not exists (select 1 from {database.Table("attempt")} a where a.job_id = listed.id and a.run = listed.run))
                select j.id,
                       (select count(*) from place p where p.id = j.id),
                       coalesce((select max(p.run) from place p where p.id = j.id), 0),
                       coalesce((select max(a.run) from {database.Table("attempt")} a where a.job_id = j.id), 0),
                       coalesce((select a.outcome from {database.Table("attempt")} a where a.job_id = j.id order by a.run desc limit 1), ''),
                       (select count(*) from {database.Table("attempt")} a where a.job_id = j.id and a.outcome = 'succeeded'),
                       (select count(*) from effect e where e.job_id = j.id and e.run > 0),
                       (select count(*) from effect e where e.job_id = j.id and e.run = 0),
                       j.data,
                       coalesce(j.schedule, '')
                from {database.Table("job")} j
                where j.id > {from}
                order by j.id
                """);
            return [.. rows.Select(Row.Of)];
        }
    }
}

/// <summary>What the job does is in its name.</summary>
[Job("step", Queue = "default")]
public sealed record Step(string Name);
