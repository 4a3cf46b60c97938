using Hangfire;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;

namespace Millrace.Bench.Contenders;

/// <summary>Hangfire on PostgreSQL. It has no way to submit many jobs at once, and its calls are synchronous.</summary>
internal sealed class HangfirePostgres : IPeer
{
    private const int Workers = 20;

    public string Name => "hangfire";

    public string Title => "Hangfire";

    public string Settings => $"{Workers} workers, UseSlidingInvisibilityTimeout, EnableLongPolling, QueuePollInterval 100 ms, No Reset On Close";

    // Nothing in line, and every job has a final state.
    public string IsFinished => "select not exists (select from hangfire.job where statename is distinct from 'Succeeded')";

    public string CountSucceeded => "select count(*) from hangfire.job where statename = 'Succeeded'";

    public string CountStored => "select count(*) from hangfire.job";

    public bool HasBulk => false;

    public int JobsToDrain(Scale scale) => scale.HangfireJobs;

    public int Pings(Scale scale) => scale.Pings / 4;

    public Task PrepareAsync(string database)
    {
        Open(database);
        return Task.CompletedTask;
    }

    public Task<ISubmitter> OpenSubmitterAsync(string database) => Task.FromResult<ISubmitter>(new Submitter(Open(database)));

    public Task<IWorker> BuildWorkerAsync(string database) => Task.FromResult<IWorker>(new Worker(Open(database)));

    // Makes the tables when they are missing.
    private static PostgreSqlStorage Open(string database)
    {
        var options = new PostgreSqlStorageOptions
        {
            UseSlidingInvisibilityTimeout = true,
            EnableLongPolling = true,
            QueuePollInterval = TimeSpan.FromMilliseconds(100),
        };
        return new PostgreSqlStorage(new NpgsqlConnectionFactory($"{database};No Reset On Close=true;Maximum Pool Size=100", options), options);
    }

    private sealed class Submitter : ISubmitter
    {
        private const int Callers = 8;

        private readonly BackgroundJobClient client;
        private readonly (int Workers, int Ports) threads;

        public Submitter(PostgreSqlStorage storage)
        {
            client = new BackgroundJobClient(storage);
            // Each of its callers blocks a thread. Without this, the pool would hand them out one a second.
            ThreadPool.GetMinThreads(out threads.Workers, out threads.Ports);
            ThreadPool.SetMinThreads(threads.Workers + Callers, threads.Ports);
        }

        public Task SubmitManyAsync(int count, string text) => Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(() =>
        {
            for (var number = caller; number < count; number += Callers)
                client.Enqueue(() => HangfireJobs.Noop(number, text));
        })));

        public Task SubmitAsync(int number, string text)
        {
            client.Enqueue(() => HangfireJobs.Noop(number, text));
            return Task.CompletedTask;
        }

        public Task PingAsync(int number)
        {
            client.Enqueue(() => HangfireJobs.Ping(number));
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            ThreadPool.SetMinThreads(threads.Workers, threads.Ports);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Worker(PostgreSqlStorage storage) : IWorker
    {
        private BackgroundJobServer? server;

        public Task StartAsync()
        {
            server = new BackgroundJobServer(new BackgroundJobServerOptions { WorkerCount = Workers }, storage);
            return Task.CompletedTask;
        }

        public Task StopAsync()
        {
            server?.Dispose();
            server = null;
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            server?.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>Public and static, as Hangfire calls what an expression names.</summary>
public static class HangfireJobs
{
    /// <summary>Does nothing.</summary>
    public static void Noop(int number, string text) => Arrivals.Ran();

    /// <summary>Tells when it started.</summary>
    public static void Ping(int number) => Arrivals.Pinged(number);
}
