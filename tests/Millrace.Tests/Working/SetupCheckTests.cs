using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Tests.Testing;

namespace Millrace.Tests.Working;

public sealed class SetupCheckTests : IDisposable
{
    private readonly TestFolder folder = new();

    [Job("welcome")]
    private sealed record OtherWelcome;

    [Job("hidden")]
    private sealed record Hidden;

    [Job("bad", MaxAttempts = 5000, Timeout = "soon")]
    private sealed record Bad;

    private sealed class HiddenJob(Random random) : IJob<Hidden>
    {
        public Task RunAsync(JobContext<Hidden> job, CancellationToken cancellationToken) => Task.FromResult(random);
    }

    [Fact]
    public async Task Two_handlers_of_one_name_are_named() =>
        (await FaultAsync(m => m.AddJob<Welcome>((_, _) => Task.CompletedTask).AddJob<OtherWelcome>((_, _) => Task.CompletedTask))).Faults.ShouldBe(
            ["Two handlers claim the job type \"welcome\": a delegate for Welcome and a delegate for OtherWelcome. A stored name belongs to one of them."]);

    [Fact]
    public async Task A_missing_service_is_named() => (await FaultAsync(m => m.AddJob<HiddenJob>())).Faults.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
        fault => fault.ShouldStartWith("The handler HiddenJob of job type \"hidden\" cannot be made:"),
        fault => fault.ShouldContain("System.Random"));

    [Fact]
    public async Task Everything_is_said_at_once()
    {
        var fault = await FaultAsync(
            m => m.AddJob<Bad>((_, _) => Task.CompletedTask).AddWorkers(workers => workers.Concurrency = 0),
            new() { ["Millrace:MaxAttempts"] = "many", ["Millrace:Jobs:bad:Timeout"] = "-00:00:01", ["Millrace:RemoveOldWorkerJobs"] = "61 * * * * *" });

        fault.Message.ShouldStartWith("Millrace cannot start; 6 things are wrong:");
        fault.Message.ShouldSatisfyAllConditions(
            message => message.ShouldContain("The setting Millrace:MaxAttempts is \"many\"; it must be a whole number."),
            message => message.ShouldContain("Millrace:Jobs:bad.Timeout must be more than zero and at most 366 days, or infinite; it is -00:00:01."),
            message => message.ShouldContain("its second is \"61\""),
            message => message.ShouldContain("WorkerOptions.Concurrency must be 1 to 1,000; it is 0."),
            message => message.ShouldContain("[Job(\"bad\")].MaxAttempts must be 1 to 1,000, or 0 for the default; it is 5000."),
            message => message.ShouldContain("[Job(\"bad\")].Timeout is \"soon\"; it must be a time span such as \"00:01:00\", or \"infinite\"."));
    }

    [Fact]
    public async Task Without_a_database_it_says_how_to_choose_one()
    {
        using var host = TestHost.Build(m => m.AddWorkers());

        (await Should.ThrowAsync<SetupException>(host.StartAsync())).Message.ShouldContain("Call UseSqlite(\"app.db\") or UsePostgres(connectionString)");
    }

    [Fact]
    public async Task A_path_that_cannot_be_is_one_message()
    {
        File.WriteAllText(folder.File("file"), "");

        (await FaultAsync(m => m.UseSqlite(Path.Combine(folder.File("file"), "jobs.db")))).Faults.ShouldHaveSingleItem().ShouldContain(folder.File("file"));
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_one_message()
    {
        File.WriteAllText(folder.File("jobs.db"), new string('x', 4096));

        (await FaultAsync(m => m.UseSqlite(folder.File("jobs.db")))).Message.ShouldStartWith($"The file {folder.File("jobs.db")} is not a SQLite database, or is encrypted. Give UseSqlite another path");
    }

    [Fact]
    public async Task A_read_only_database_is_one_message()
    {
        // In write-ahead mode already, as a database is that was in use: then only the writes fail. Rights do not stop a test that runs as root, so SQLite itself is told.
        using (var connection = new SqliteConnection($"Data Source={folder.File("jobs.db")};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "pragma journal_mode = wal; create table t (x)";
            command.ExecuteNonQuery();
        }

        (await FaultAsync(m => m.UseSqlite($"Data Source={folder.File("jobs.db")};Mode=ReadOnly"))).Message.ShouldStartWith(
            $"The SQLite database {folder.File("jobs.db")} is read-only. Nothing was changed. Give this process the right to write");
    }

    [Fact]
    public async Task An_unreachable_server_is_one_message()
    {
        var fault = await FaultAsync(m => m.UsePostgres("Host=127.0.0.1;Port=1;Database=app;Username=app;Password=secret"));

        fault.Message.ShouldStartWith("Could not connect to PostgreSQL 127.0.0.1:1/app");
        fault.Message.ShouldContain("Check Host and Port in the connection string given to UsePostgres, and that the server runs.");
        fault.ToString().ShouldNotContain("secret");
    }

    [Theory]
    [InlineData("Host=x;Colour=red")]
    [InlineData("Database=app")]
    public void A_wrong_connection_string_is_told_where_it_is_given(string text) =>
        Should.Throw<ArgumentException>(() => TestHost.Build(m => m.UsePostgres(text))).Message.ShouldSatisfyAllConditions(
            message => message.ShouldStartWith("The connection string given to UsePostgres"),
            message => message.ShouldContain("\"Host=localhost;Database=app;Username=app;Password=...\""));

    [Fact]
    public void A_database_in_memory_is_refused() =>
        Should.Throw<ArgumentException>(() => TestHost.Build(m => m.UseSqlite(":memory:"))).Message.ShouldContain("Give the path of a file");

    [Fact]
    public async Task A_process_that_only_submits_needs_no_handlers_services()
    {
        using var host = TestHost.Build(m => m.UseSqlite(folder.File("jobs.db")).AddJob<HiddenJob>());

        await host.StartAsync().WaitAsync(TestHost.Deadline);
        (await host.Services.GetRequiredService<IJobClient>().SubmitAsync(new Hidden())).Outcome.ShouldBe(Submitted.Created);
        await host.StopAsync().WaitAsync(TestHost.Deadline);
    }

    public void Dispose() => folder.Dispose();

    private async Task<SetupException> FaultAsync(Action<MillraceBuilder> configure, Dictionary<string, string?>? settings = null)
    {
        using var host = TestHost.Build(m => configure(m.UseSqlite(folder.File("unused.db")).AddWorkers()), null, settings);
        return await Should.ThrowAsync<SetupException>(host.StartAsync().WaitAsync(TestHost.Deadline));
    }
}
