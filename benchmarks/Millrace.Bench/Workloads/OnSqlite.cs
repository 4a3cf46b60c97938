using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;

namespace Millrace.Bench.Workloads;

/// <summary>The same on a SQLite file, with one worker process.</summary>
internal sealed class OnSqlite : IWorkload
{
    public string Name => "sqlite";

    public string Title(Scale scale) => $"SQLite: drain and bulk submission of {scale.Jobs / 2:N0} jobs, single submissions of 8 callers";

    public async Task RunRoundAsync(Round round)
    {
        var contender = All.Sqlite;
        round.Say("drain");
        var result = await DrainRun.RunAsync(round, new DrainPlan(contender, round.Scale.Jobs / 2));
        result.AddTo(round, contender.Title, hasBulk: false);
        round.Say("bulk");
        (await SubmitRun.InBulkAsync(contender, round.Server, round.Scale.Jobs / 2)).AddTo(round, Submit.InBulk(contender.Title), Measure.SubmittedInBulk);
        round.Say("8 callers");
        (await SubmitRun.SinglyAsync(contender, round.Server, 8, round.Scale.Submitting)).AddTo(round, Submit.Singly(contender.Title, 8), Measure.SubmittedSingly);
    }
}
