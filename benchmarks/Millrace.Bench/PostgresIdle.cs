using Microsoft.Extensions.Hosting;

namespace Millrace.Bench;

/// <summary>What a node costs the database while there is nothing to do: statements as the server's own log counts them.</summary>
internal static class PostgresIdle
{
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Watch = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(string server)
    {
        var log = Environment.GetEnvironmentVariable("MILLRACE_BENCH_LOG");
        if (log is null)
        {
            Console.WriteLine("idle: left out, because MILLRACE_BENCH_LOG does not name the server's log");
            return;
        }
        var database = await Figures.NewDatabaseAsync(server, "millrace_bench");
        using var host = Engine.Build(millrace => millrace.UsePostgres(database), 10);
        await host.StartAsync();
        await Task.Delay(SettleTime, TimeProvider.System);
        await Figures.ExecuteAsync(server, "alter system set log_statement to 'all'", "select pg_reload_conf()");
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        var start = new FileInfo(log).Length;
        await Task.Delay(Watch, TimeProvider.System);
        await using var stream = File.OpenRead(log);
        stream.Position = start;
        using var reader = new StreamReader(stream);
        var text = await reader.ReadToEndAsync();
        await Figures.ExecuteAsync(server, "alter system reset log_statement", "select pg_reload_conf()");
        await host.StopAsync();
        var statements = text.Split('\n').Count(line => line.Contains("LOG:  execute ", StringComparison.Ordinal) || line.Contains("LOG:  statement: ", StringComparison.Ordinal));
        Console.WriteLine();
        Console.WriteLine("PostgreSQL, one idle node");
        Figures.Print("statements", statements / Watch.TotalSeconds, "per second", "goal: at most 2");
    }
}
