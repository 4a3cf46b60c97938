using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;

namespace Millrace.Bench.Workloads;

/// <summary>B1: how fast a backlog of jobs that do nothing is worked off, and what it costs.</summary>
internal sealed class Drain : IWorkload
{
    public const string OneProcess = "Millrace, PostgreSQL";
    public const string FourProcesses = "Millrace, 4 processes";

    public string Name => "b1";

    public string Title(Scale scale) => $"B1: drain of {scale.Jobs:N0} jobs that do nothing, with 100 bytes of data";

    public async Task RunRoundAsync(Round round)
    {
        var raw = await RunAsync(round, All.Raw, All.Raw.Title, round.Scale.Jobs);
        await RunAsync(round, All.Bare, All.Bare.Title, round.Scale.Jobs);
        var one = await RunAsync(round, All.Millrace, OneProcess, round.Scale.Jobs);
        var four = await RunAsync(round, All.Millrace, FourProcesses, round.Scale.Jobs, processes: 4);
        round.Add(OneProcess, Measure.ToRaw, one.Drained / raw.Drained);
        if (one.DrainedLate / raw.DrainedLate is { } late)
            round.Add(OneProcess, Measure.ToRawLate, late);
        round.Add(FourProcesses, Measure.ToOneProcess, four.Drained / one.Drained);
        if (!round.Options.HasPeers)
            return;
        foreach (var peer in All.Peers)
        {
            try
            {
                var result = await RunAsync(round, peer, peer.Title, peer.JobsToDrain(round.Scale));
                round.Add(peer.Title, Measure.ToRaw, result.Drained / raw.Drained);
            }
            catch (TimeoutException exception)
            {
                // It has no figure in this round, and the others go on.
                round.Say(exception.Message);
            }
        }
    }

    private static async Task<DrainResult> RunAsync(Round round, IContender contender, string who, int jobs, int processes = 1)
    {
        round.Say($"{who}, {jobs:N0} jobs");
        var result = await DrainRun.RunAsync(round, new DrainPlan(contender, jobs) { Processes = processes });
        result.AddTo(round, who, hasBulk: contender is not IPeer { HasBulk: false });
        return result;
    }
}
