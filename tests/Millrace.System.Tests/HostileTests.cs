using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Millrace.System.Tests;

/// <summary>G11: whatever a job carries, says or throws, its end can be stored, and it stands in nobody's way.</summary>
public sealed class HostileTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Job("hostile", MaxAttempts = 2)]
    private sealed record Hostile(string Kind);

    private sealed class HostileJob : IJob<Hostile, object?>
    {
        public Task<object?> RunAsync(JobContext<Hostile> job, CancellationToken cancellationToken) => Task.FromResult(Handlers[job.Data.Kind](job));
    }

    private sealed record Deep(int Level, Deep? Inner);

    private sealed class Unspeakable : Exception
    {
        public override string Message => throw new InvalidOperationException("No message.");

        public override string StackTrace => throw new InvalidOperationException("No stack.");
    }

    private static readonly Dictionary<string, Func<JobContext, object?>> Handlers = new()
    {
        ["error with NUL"] = _ => throw new InvalidDataException("a\0b"),
        ["error with lone surrogates"] = _ => throw new InvalidDataException("\ud83d and \ude00\ud83d"),
        ["error of terminals"] = _ => throw new InvalidDataException("\u001b[2J\u0007\u009b31m\u202e"),
        ["huge error"] = _ => throw new InvalidDataException(new string('字', 5_000_000)),
        ["chain of errors"] = _ => throw Enumerable.Range(0, 10_000).Aggregate(new InvalidDataException("innermost"), (inner, i) => new InvalidDataException(i.ToString(CultureInfo.InvariantCulture), inner)),
        ["many errors at once"] = _ => throw new AggregateException(Enumerable.Range(0, 10_000).Select(i => new InvalidDataException($"{i}\0"))),
        ["error that cannot be described"] = _ => throw new Unspeakable(),
        ["result with NUL"] = _ => "a\0b",
        ["result with a lone surrogate"] = _ => "\ud83d",
        ["huge result"] = _ => new string('x', 5_000_000),
        ["deep result"] = _ => Enumerable.Range(0, 10_000).Aggregate(new Deep(0, null), (inner, i) => new Deep(i, inner)),
        ["result that is no number"] = _ => double.NaN,
        ["log with NUL"] = job => Logged(job, "a\0b\ud83d"),
        ["huge log"] = job => Logged(job, new string('字', 2_000_000)),
        ["cancel with NUL"] = job => throw job.Cancel("why\0\ud83d"),
        ["discard with a huge reason"] = job => throw job.Discard(new string('\0', 1_000_000)),
    };

    // What becomes of those that do not fail twice.
    private static readonly Dictionary<string, string> Fates = new()
    {
        ["log with NUL"] = "succeeded",
        ["huge log"] = "succeeded",
        ["cancel with NUL"] = "cancelled",
        ["discard with a huge reason"] = "discarded",
    };

    // What somebody put into the tables by hand, past the checks.
    private static readonly Dictionary<string, string> Rows = new()
    {
        ["number of 131,071 digits"] = """{"kind":1e131071}""",
        ["depth 10,000"] = new string('[', 10_000) + new string(']', 10_000),
        ["not JSON"] = "not json",
        ["nothing"] = "",
        ["half"] = """{"kind":"error with""",
        ["null"] = "null",
        ["no such kind"] = """{"kind":"none"}""",
        ["escaped NUL"] = """{"kind":"\u0000"}""",
        ["1 MB"] = $$"""{"kind":"{{new string('x', 1_000_000)}}"}""",
    };

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task Whatever_a_job_carries_says_or_throws_ends_and_stops_no_other(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddMillrace(m =>
        {
            database.Use(m);
            m.AddSystemJobs().AddJob<HostileJob>(RetryPolicy.Every(TimeSpan.FromMilliseconds(10)));
            m.AddWorkers(workers => workers.Concurrency = 4);
        });
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var jobs = host.Services.GetRequiredService<IJobClient>();

        var bad = new Dictionary<long, string>();
        foreach (var name in Handlers.Keys)
            bad.Add((await jobs.SubmitAsync(new Hostile(name))).Id, name);
        var id = 1_000_000_000L;
        foreach (var (name, data) in Rows)
        {
            bad.Add(++id, name);
            await PutAsync(database, id, data);
        }
        var good = new List<long>();
        for (var i = 0; i < 50; i++)
            good.Add((await jobs.SubmitAsync(new Count(i))).Id);

        const string ends = "('succeeded', 'discarded', 'cancelled')";
        await Eventually.IsAsync(
            async () => await database.NumberAsync($"select count(distinct job_id) from {database.Table("attempt")} where outcome in {ends}") == bad.Count + good.Count, Long, "every job has ended",
            () => string.Join(", ", bad.Values.Except(EndsOf(database, bad).Keys)));
        (await database.IdsAsync($"select job_id from {database.Table("attempt")} where outcome = 'succeeded' and type = 'count'")).ShouldBe(good, ignoreOrder: true);
        foreach (var place in new[] { "ready", "scheduled", "waiting" })
            (await database.NumberAsync($"select count(*) from {database.Table(place)} where type in ('hostile', 'count')")).ShouldBe(0, place);

        // Every failure can be read, is storable text, and has its size.
        foreach (var (job, name) in bad)
        {
            var record = (await jobs.FindAsync(job)).ShouldNotBeNull(name);
            record.IsFinished.ShouldBeTrue(name);
            (await database.NumberAsync($"select count(*) from {database.Table("attempt")} where job_id = {job} and length(error) > 16384")).ShouldBe(0, name);
        }
        // The same on both stores.
        var fates = EndsOf(database, bad);
        foreach (var name in bad.Values)
            fates[name].ShouldBe(Fates.GetValueOrDefault(name, "failed, discarded"), name);
        output.WriteLine($"{kind}: {bad.Count} hostile jobs ended, {fates.Values.Count(fate => fate == "failed, discarded")} of them after two recorded failures; {good.Count} of {good.Count} good ones beside them succeeded");
        await host.StopAsync(CancellationToken.None);
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    private static Dictionary<string, string> EndsOf(TestDatabase database, Dictionary<long, string> names) =>
        database.RowsAsync($"select job_id, run, outcome from {database.Table("attempt")} where type = 'hostile' order by job_id, run").GetAwaiter().GetResult()
            .Select(row => row.Split('|')).GroupBy(row => long.Parse(row[0], CultureInfo.InvariantCulture))
            .ToDictionary(group => names[group.Key], group => string.Join(", ", group.Select(row => row[2])));

    private static object? Logged(JobContext job, string text)
    {
        job.Log.LogInformation("{Text}", text);
        return null;
    }

    private static async Task PutAsync(TestDatabase database, long id, string data)
    {
        await using var connection = await database.ConnectAsync();
        await using var command = connection.CreateCommand();
        var now = connection is SqliteConnection ? "0" : "clock_timestamp()";
        command.CommandText = $"""
            insert into {database.Table("job")} (id, nonce, type, queue, priority, user_id, data, due, created) values ({id}, {id}, 'hostile', 'default', 0, 0, @data, {now}, {now});
            insert into {database.Table("ready")} (queue, priority, pass, id, type, run, attempt) values ('default', 0, 0, {id}, 'hostile', 1, 1);
            """;
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = ("data", data);
        command.Parameters.Add(parameter);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
