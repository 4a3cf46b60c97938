using Millrace.Bench.Measuring;
using Millrace.Bench.Reporting;
using Millrace.Bench.Workloads;

namespace Millrace.Bench;

/// <summary>One run of the program: the workloads that were asked for, round by round, then the report.</summary>
internal static class Session
{
    private static readonly IWorkload[] Workloads = [new Drain(), new Latency(), new Sustained(), new OldSnapshot(), new Submit(), new Depth(), new WidePayload(), new Dashboards(), new Idle(), new OnSqlite()];

    public static async Task<int> RunAsync(Options options, string server)
    {
        var chosen = Workloads.Where(workload => options.Only.Count == 0 || options.Only.Contains(workload.Name)).ToArray();
        if (options.Only.Except(Workloads.Select(workload => workload.Name)).ToArray() is [var unknown, ..])
        {
            Console.Error.WriteLine($"There is no workload \"{unknown}\". There are: {string.Join(", ", Workloads.Select(workload => workload.Name))}.");
            return 2;
        }

        // Read first: an hour later is too late to learn that there is no such file.
        var before = options.Compare is { } file ? ResultFile.Read(file) : null;
        var setting = await Setting.ReadAsync(server, options);
        var (sheet, progress) = (new Sheet(), new Progress());
        List<string> faults = [];
        foreach (var workload in chosen)
            await RunAsync(workload, new Round(workload, 0, server, options, sheet, progress), faults);
        progress.End();

        Table.Print(setting, sheet, chosen, options.Scale, progress.Elapsed, faults);
        if (options.Json is { } json)
            ResultFile.Write(json, setting, sheet, faults);
        var isWorse = before is not null && Comparison.Print(before, ResultFile.From(setting, sheet, faults), options.Regression);
        return faults.Count > 0 || isWorse ? 1 : 0;
    }

    private static async Task RunAsync(IWorkload workload, Round round, List<string> faults)
    {
        try
        {
            for (var i = 0; i < workload.Rounds(round.Scale); i++)
                await workload.RunRoundAsync(round with { Number = i });
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // A wrong count or a contender that fails spoils this workload and the result of the run, not the other workloads.
            faults.Add($"{workload.Name}: {exception.Message}");
            round.Progress.End();
            Console.Error.WriteLine($"{workload.Name} failed: {exception}");
        }
        finally
        {
            await workload.EndAsync();
        }
    }
}
