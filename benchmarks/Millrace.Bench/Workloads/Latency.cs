using Millrace.Bench.Contenders;

namespace Millrace.Bench.Workloads;

/// <summary>B2: from a submission to the start of the handler while nothing else is done, across processes and in one.</summary>
internal sealed class Latency : IWorkload
{
    public const string Across = "Millrace, across processes";
    public const string Within = "Millrace, same process";

    public string Name => "b2";

    public string Title(Scale scale) => $"B2: latency while idle, {scale.Pings} jobs one by one";

    public async Task RunRoundAsync(Round round)
    {
        round.Say(Across);
        var database = await PrepareAsync(round, All.Millrace);
        (await PingRun.AcrossAsync(All.Millrace, database, round.Scale.Pings)).AddTo(round, Across);
        round.Say(Within);
        database = await PrepareAsync(round, All.Millrace);
        (await PingRun.WithinAsync(All.Millrace, database, round.Scale.Pings)).AddTo(round, Within);
        if (!round.Options.HasPeers)
            return;
        foreach (var peer in All.Peers)
        {
            var who = $"{peer.Title}, across processes";
            round.Say(who);
            database = await PrepareAsync(round, peer);
            (await PingRun.AcrossAsync(peer, database, peer.Pings(round.Scale))).AddTo(round, who);
        }
    }

    private static async Task<string> PrepareAsync(Round round, IContender contender)
    {
        var database = await contender.NewDatabaseAsync(round.Server);
        await contender.PrepareAsync(database);
        return database;
    }
}
