using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;
using Npgsql;

namespace Millrace.Bench.Workloads;

/// <summary>PostgreSQL's own measuring program: one INSERT into a table like that of the jobs, one commit, from a client written in C.</summary>
internal static partial class Pgbench
{
    private const string Script = """
        insert into single_row (nonce, type, queue, data, due, created)
        values (1, 'noop', 'default', '{"number":1,"text":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}', now(), now());
        """;

    /// <summary>Null where the program is not there.</summary>
    public static async Task<double?> RunAsync(string server, int clients, TimeSpan time)
    {
        var program = Path.Combine(Environment.GetEnvironmentVariable("MILLRACE_TEST_PGBIN") ?? "", "pgbench");
        if (!File.Exists(program))
            return null;
        var database = await Server.NewDatabaseAsync(server, "millrace_bench");
        await All.Raw.PrepareAsync(database);
        await Server.ExecuteAsync(
            database,
            "create sequence single_row_id cache 100",
            "create table single_row (like millrace.job including all)",
            "alter table single_row alter id set default nextval('single_row_id')");
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, Script);
            var output = await RunAsync(program, database, file, clients, time);
            var rate = double.Parse(RateLine().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
            var count = long.Parse(CountLine().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
            var stored = await Server.AskAsync<long>(database, "select count(*) from single_row");
            return stored == count ? rate : throw new InvalidOperationException($"pgbench says it stored {count} rows, and there are {stored}.");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task<string> RunAsync(string program, string database, string file, int clients, TimeSpan time)
    {
        var settings = new NpgsqlConnectionStringBuilder(database);
        string[] arguments =
        [
            "-n", "-M", "prepared", "-c", $"{clients}", "-j", clients == 1 ? "1" : "2", "-T", $"{Math.Max(1, (int)time.TotalSeconds)}", "-f", file,
            "-h", $"{settings.Host}", "-p", $"{settings.Port}", "-U", $"{settings.Username}", $"{settings.Database}",
        ];
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new InvalidOperationException("pgbench did not start.");
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"pgbench failed: {await error}");
    }

    [GeneratedRegex(@"^tps = ([0-9.]+)", RegexOptions.Multiline)]
    private static partial Regex RateLine();

    [GeneratedRegex(@"^number of transactions actually processed: ([0-9]+)", RegexOptions.Multiline)]
    private static partial Regex CountLine();
}
