using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Millrace.Bench;

/// <summary>The same backlog on SQLite, in one process.</summary>
internal static class SqliteDrain
{
    public static async Task RunAsync(int jobs, int rounds)
    {
        List<(double Submit, double Drain)> all = [];
        for (var i = 0; i < rounds; i++)
            all.Add(await RoundAsync(jobs));
        Console.WriteLine();
        Console.WriteLine($"SQLite, {jobs:N0} no-op jobs of 100 bytes, one process, 20 slots");
        Figures.Print("submitted in bulk", Figures.Median(all.Select(round => round.Submit)), "jobs/s", "");
        Figures.Print("drained end to end", Figures.Median(all.Select(round => round.Drain)), "jobs/s", "goal: at least 10,000");
    }

    private static async Task<(double Submit, double Drain)> RoundAsync(int jobs)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-bench-");
        try
        {
            var file = Path.Combine(folder.FullName, "jobs.db");
            double submit;
            using (var host = Engine.Build(millrace => millrace.UseSqlite(file), 20, hasWorkers: false))
            {
                await host.StartAsync();
                var client = host.Services.GetRequiredService<IJobClient>();
                var text = new string('x', 70);
                var clock = Stopwatch.StartNew();
                for (var first = 0; first < jobs; first += 10_000)
                    await client.SubmitManyAsync(Enumerable.Range(first, 10_000).Select(number => new Noop(number, text)));
                submit = jobs / clock.Elapsed.TotalSeconds;
                await host.StopAsync();
            }
            using (var host = Engine.Build(millrace => millrace.UseSqlite(file), 20))
            {
                var counter = host.Services.GetRequiredService<Counter>();
                var clock = Stopwatch.StartNew();
                await host.StartAsync();
                while (counter.Count < jobs)
                    await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
                await using var connection = new SqliteConnection($"Data Source={file}");
                await connection.OpenAsync();
                await using var open = new SqliteCommand("select exists (select 1 from millrace_lease) or exists (select 1 from millrace_ready)", connection);
                while (Convert.ToInt64(await open.ExecuteScalarAsync()) != 0)
                    await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
                var drain = jobs / clock.Elapsed.TotalSeconds;
                await host.StopAsync();
                return (submit, drain);
            }
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            folder.Delete(recursive: true);
        }
    }
}
