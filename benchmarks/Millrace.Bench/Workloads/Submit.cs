using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;

namespace Millrace.Bench.Workloads;

/// <summary>B5: submitting, singly with 1, 8 and 64 callers and in bulk, beside what PostgreSQL itself can take.</summary>
internal sealed class Submit : IWorkload
{
    private static readonly int[] Callers = [1, 8, 64];

    public string Name => "b5";

    public string Title(Scale scale) => $"B5: single submissions for {scale.Submitting.TotalSeconds:0.#} seconds, and {scale.Jobs:N0} in calls of 10,000";

    public static string Singly(string who, int callers) => $"{who}, {callers} {(callers == 1 ? "caller" : "callers")}";

    public static string InBulk(string who) => $"{who}, bulk";

    public async Task RunRoundAsync(Round round)
    {
        var pgbench = new Dictionary<int, double>();
        foreach (var callers in Callers)
        {
            var who = Singly("pgbench", callers);
            round.Say(who);
            if (await Pgbench.RunAsync(round.Server, callers, round.Scale.Submitting) is { } rate)
                round.Add(who, Measure.SubmittedSingly, pgbench[callers] = rate);
            await SinglyAsync(round, All.Millrace, callers, pgbench);
        }

        var copy = await InBulkAsync(round, All.Raw, round.Scale.Jobs);
        var bulk = await InBulkAsync(round, All.Millrace, round.Scale.Jobs);
        round.Add(InBulk(All.Millrace.Title), Measure.ToCopy, bulk / copy);
        if (!round.Options.HasPeers)
            return;
        foreach (var peer in All.Peers)
        {
            await SinglyAsync(round, peer, 8, pgbench);
            if (peer.HasBulk)
                round.Add(InBulk(peer.Title), Measure.ToCopy, await InBulkAsync(round, peer, peer.JobsToDrain(round.Scale)) / copy);
        }
    }

    private static async Task SinglyAsync(Round round, IContender contender, int callers, Dictionary<int, double> pgbench)
    {
        var who = Singly(contender.Title, callers);
        round.Say(who);
        var result = await SubmitRun.SinglyAsync(contender, round.Server, callers, round.Scale.Submitting);
        result.AddTo(round, who, Measure.SubmittedSingly);
        if (pgbench.TryGetValue(callers, out var same))
            round.Add(who, Measure.ToPgbench, result.Rate / same);
        if (pgbench.TryGetValue(8, out var eight))
            round.Add(who, Measure.ToPgbench8, result.Rate / eight);
    }

    private static async Task<double> InBulkAsync(Round round, IContender contender, int jobs)
    {
        var who = InBulk(contender.Title);
        round.Say(who);
        var result = await SubmitRun.InBulkAsync(contender, round.Server, jobs);
        result.AddTo(round, who, Measure.SubmittedInBulk);
        return result.Rate;
    }
}
