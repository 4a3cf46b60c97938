using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;
using Npgsql;

namespace Millrace.Bench.Workloads;

/// <summary>B4: the drain while somebody else's transaction keeps PostgreSQL from forgetting the rows that are gone.</summary>
internal sealed class OldSnapshot : IWorkload
{
    public const string Held = "Millrace, old snapshot held";

    public string Name => "b4";

    public string Title(Scale scale) => $"B4: drain of {scale.Jobs:N0} jobs while another session holds an old snapshot open";

    public async Task RunRoundAsync(Round round)
    {
        var control = await RunAsync(round, "Millrace, ordinary", hold: null);
        var held = await RunAsync(round, Held, HoldAsync);
        round.Add(Held, Measure.ToControl, held.Drained / control.Drained);
    }

    private static async Task<DrainResult> RunAsync(Round round, string who, Func<string, Task<IAsyncDisposable>>? hold)
    {
        round.Say(who);
        var result = await DrainRun.RunAsync(round, new DrainPlan(All.Millrace, round.Scale.Jobs) { Hold = hold });
        result.AddTo(round, who);
        return result;
    }

    // The snapshot is taken by the first query, not by "begin".
    private static async Task<IAsyncDisposable> HoldAsync(string database)
    {
        var connection = await Server.OpenAsync(database);
        foreach (var sql in new[] { "begin isolation level repeatable read", "select count(*) from millrace.ready" })
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }

        return connection;
    }
}
