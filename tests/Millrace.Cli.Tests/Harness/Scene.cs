using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace.Cli.Submitting;
using Millrace.Cli.Targets;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Cli.Tests;

/// <summary>Greets somebody. Fails for whoever is called "nobody", and takes its time for "turtle".</summary>
[Job("welcome", MaxAttempts = 1, Timeout = "00:05:00")]
public sealed record Welcome(string Name, [property: Sensitive] string? Address = null);

/// <summary>A database with the tool and an application for it.</summary>
public sealed class Scene : IAsyncDisposable
{
    private readonly Func<ValueTask> drop;

    private Scene(string kind, string connection, Func<ValueTask> drop)
    {
        Kind = kind;
        Connection = connection;
        this.drop = drop;
        Tool = new Tool(connection);
    }

    /// <summary>Both stores, for theories.</summary>
    public static TheoryData<string> Kinds => ["sqlite", "postgres"];

    public string Kind { get; }

    public string Connection { get; }

    public Tool Tool { get; }

    /// <summary>An empty database, its schema made.</summary>
    public static async Task<Scene> MakeAsync(string kind)
    {
        var scene = await MakeEmptyAsync(kind);
        await using var store = scene.Open();
        await store.MigrateAsync(apply: true, CancellationToken.None);
        return scene;
    }

    /// <summary>A database without tables.</summary>
    public static Task<Scene> MakeEmptyAsync(string kind) => kind == "sqlite" ? Task.FromResult(MakeSqlite()) : MakePostgresAsync();

    public IJobStore Open() => Stores.Make(Target.Of(Connection, null, "test"));

    public Task<ToolRun> RunAsync(params string[] arguments) => Tool.RunAsync(arguments);

    /// <summary>Runs the tool and demands that it ends well.</summary>
    public async Task<string> OkAsync(params string[] arguments)
    {
        var run = await Tool.RunAsync(arguments);
        run.Code.ShouldBe(0, $"millrace {string.Join(' ', arguments)}\n{run}");
        return run.Out;
    }

    /// <summary>An application that runs jobs here, started.</summary>
    public async Task<IHost> StartAsync(int concurrency = 4)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Information);
        builder.Services.AddMillrace(millrace =>
        {
            if (Kind == "sqlite")
                millrace.UseSqlite(Connection);
            else
                millrace.UsePostgres(Connection);
            millrace.Configure(options => options.RemoveOldWorkerJobs = null);
            millrace.AddJob<Welcome>(RunAsync);
            millrace.AddWorkers(workers => workers.Concurrency = concurrency);
        });
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    /// <summary>Submits a job and gives its id.</summary>
    public async Task<long> SubmitAsync(Welcome data, JobOptions? options = null)
    {
        await using var store = Open();
        var result = await SubmitClient.On(store).SubmitNamedAsync("welcome", System.Text.Json.JsonSerializer.Serialize(data, System.Text.Json.JsonSerializerOptions.Web), options, TestContext.Current.CancellationToken);
        return result.Id;
    }

    public async ValueTask DisposeAsync()
    {
        Tool.Dispose();
        await drop();
    }

    private static async Task RunAsync(JobContext<Welcome> job, CancellationToken cancellationToken)
    {
        job.Log.LogInformation("Greeting {Name}", job.Data.Name);
        if (job.Data.Name == "nobody")
            throw new InvalidOperationException("There is nobody to greet.");
        if (job.Data.Name == "turtle")
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }

    private static Scene MakeSqlite()
    {
        var folder = Directory.CreateTempSubdirectory("millrace-cli-db-").FullName;
        return new Scene("sqlite", Path.Combine(folder, "jobs.db"), () =>
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
            return ValueTask.CompletedTask;
        });
    }

    private static async Task<Scene> MakePostgresAsync()
    {
        var server = Environment.GetEnvironmentVariable("MILLRACE_TEST_POSTGRES") is { Length: > 0 } given
            ? given
            : throw new InvalidOperationException("MILLRACE_TEST_POSTGRES is not set. Run ./test, which starts a server, or set it to the connection string of a superuser.");
        var name = $"millrace_cli_{Guid.NewGuid():N}";
        await ExecuteAsync(server, $"create database {name} template template0");
        return new Scene("postgres", new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString, async () =>
        {
            NpgsqlConnection.ClearAllPools();
            await ExecuteAsync(server, $"drop database if exists {name} with (force)");
        });
    }

    private static async Task ExecuteAsync(string server, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
