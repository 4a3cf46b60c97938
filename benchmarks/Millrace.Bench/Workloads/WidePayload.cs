using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;

namespace Millrace.Bench.Workloads;

/// <summary>B7: the drain of jobs with 2 KB of data.</summary>
internal sealed class WidePayload : IWorkload
{
    private const int TextSize = 2 * 1024;

    public string Name => "b7";

    public string Title(Scale scale) => $"B7: drain of {scale.Jobs / 2:N0} jobs with 2 KB of data";

    public async Task RunRoundAsync(Round round)
    {
        var raw = await RunAsync(round, All.Raw);
        var millrace = await RunAsync(round, All.Millrace);
        round.Add(All.Millrace.Title, Measure.ToRaw, millrace.Drained / raw.Drained);
    }

    private static async Task<DrainResult> RunAsync(Round round, IContender contender)
    {
        round.Say(contender.Title);
        var result = await DrainRun.RunAsync(round, new DrainPlan(contender, round.Scale.Jobs / 2) { TextSize = TextSize });
        result.AddTo(round, contender.Title);
        return result;
    }
}
