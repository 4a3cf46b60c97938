using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Millrace.Bench;

/// <summary>From a submission in one process to the start of the handler in another, both otherwise idle.</summary>
internal static class PostgresLatency
{
    public static async Task RunAsync(string server, int samples)
    {
        var database = await Figures.NewDatabaseAsync(server, "millrace_bench");
        using var host = Engine.Build(millrace => millrace.UsePostgres(database), 1, hasWorkers: false);
        await host.StartAsync();
        var client = host.Services.GetRequiredService<IJobClient>();

        using var worker = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["--worker", database]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await worker.StandardOutput.ReadLineAsync();
        List<double> fromCall = [];
        List<double> fromCommit = [];
        for (var i = -20; i < samples; i++)
        {
            // Long enough for the worker to be idle again, and no multiple of anything it does by the clock.
            await Task.Delay(TimeSpan.FromMilliseconds(13), TimeProvider.System);
            var called = Stopwatch.GetTimestamp();
            await client.SubmitAsync(new Ping(i));
            var committed = Stopwatch.GetTimestamp();
            var line = await worker.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The worker has ended.");
            var started = long.Parse(line.Split(' ')[1]);
            if (i < 0)
                continue;
            fromCall.Add(Stopwatch.GetElapsedTime(called, started).TotalMilliseconds);
            fromCommit.Add(Stopwatch.GetElapsedTime(committed, started).TotalMilliseconds);
        }
        worker.StandardInput.Close();
        await worker.WaitForExitAsync();
        await host.StopAsync();
        fromCall.Sort();
        fromCommit.Sort();
        Console.WriteLine();
        Console.WriteLine($"PostgreSQL, submit in one process, start in another, both idle, {samples} jobs one by one");
        Figures.Print("submit call to start, p50", Figures.Percentile(fromCall, 50), "ms", "goal: under 5");
        Figures.Print("submit call to start, p99", Figures.Percentile(fromCall, 99), "ms", "");
        Figures.Print("answered submission to start, p50", Figures.Percentile(fromCommit, 50), "ms", "");
    }
}
