using System.Data.Common;
using Millrace.Bench.Measuring;

namespace Millrace.Bench.Contenders;

/// <summary>Something that stores jobs and runs them. What its handlers do is in <see cref="Arrivals"/>.</summary>
internal interface IContender
{
    /// <summary>One word: how a worker process is told whom to run.</summary>
    string Name { get; }

    /// <summary>As it stands in the table.</summary>
    string Title { get; }

    /// <summary>What was set and is not the default; kept with the results.</summary>
    string Settings { get; }

    /// <summary>A new, empty database; all that is done with it begins with <see cref="PrepareAsync"/>.</summary>
    Task<string> NewDatabaseAsync(string server) => Server.NewDatabaseAsync(server, "millrace_bench");

    /// <summary>Forgets it. A database of PostgreSQL stays until the next one of its name is made.</summary>
    void Drop(string database)
    {
    }

    /// <summary>Makes the tables.</summary>
    Task PrepareAsync(string database);

    /// <summary>What autovacuum does within a minute on a live system.</summary>
    Task SettleAsync(string database) => Server.ExecuteAsync(database, "vacuum analyze");

    Task<ISubmitter> OpenSubmitterAsync(string database);

    /// <summary>Ready to start: what is left is what a process does after its host was built.</summary>
    Task<IWorker> BuildWorkerAsync(string database);

    async Task<DbConnection> ConnectAsync(string database) => await Server.OpenAsync(database);

    /// <summary>True when nothing waits and all that was begun is durable. Asked every few milliseconds at the end of a drain, so it must be cheap.</summary>
    string IsFinished { get; }

    /// <summary>How many jobs the database says have succeeded; null when it keeps nothing of them.</summary>
    string? CountSucceeded { get; }

    /// <summary>How many jobs the database holds before any has run.</summary>
    string CountStored { get; }

    /// <summary>A rate between the end of the first fifth and the end of all, by the times that were stored; null when it keeps none.</summary>
    string? LateRate => null;
}

internal interface ISubmitter : IAsyncDisposable
{
    /// <summary>By its fastest way, in batches of 10,000 where it has batches.</summary>
    Task SubmitManyAsync(int count, string text);

    /// <summary>A job that does nothing. Durable when it returns.</summary>
    Task SubmitAsync(int number, string text);

    /// <summary>A job that tells when it started.</summary>
    Task PingAsync(int number);
}

internal interface IWorker : IAsyncDisposable
{
    /// <summary>Submits from the worker's own process; null where that is not tried.</summary>
    ISubmitter? Submitter => null;

    Task StartAsync();

    Task StopAsync();
}
