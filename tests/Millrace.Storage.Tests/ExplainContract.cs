using Millrace.Inspecting;

namespace Millrace.Storage.Tests;

public sealed class ExplainOnSqlite() : ExplainContract(new SqliteDatabase());

public sealed class ExplainOnPostgres() : ExplainContract(new PostgresDatabase());

/// <summary>What <c>explain</c> says stands between a job and a claim is what the store's claims do: one in C#, the other in statements.</summary>
public abstract class ExplainContract(TestDatabase database) : Contract(database)
{
    private static readonly Author ann = new("ann", "code", "because");

    [Fact]
    public async Task Every_claim_takes_the_jobs_that_nothing_keeps_back_and_no_other()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var both = await NodeAsync("send", "report");
        var sender = await NodeAsync("send");
        TestNode[] nodes = [both, sender];
        var draining = new HashSet<Guid>();
        List<long> all = [];
        var taken = 0;

        for (var round = 0; round < 8; round++)
        {
            await ChangeSomethingAsync(nodes, draining, random);
            all.AddRange(await SubmitSomeAsync(random));
            if (round % 4 == 3)
                await LoseANodeAsync(nodes, all);

            var expected = new List<long>();
            foreach (var id in all)
            {
                var facts = (await Store.Inspection.ReadFactsAsync(id, Stop)).ShouldNotBeNull();
                var told = Explainer.Explain(facts);
                told.Code.ShouldNotBeEmpty();
                if (ClaimConditions.Of(facts) == Obstacles.None)
                    expected.Add(id);
            }

            var claimed = await ClaimAllAsync(nodes.Where(node => !draining.Contains(node.Id)));
            claimed.Order().ToList().ShouldBe(expected, $"seed {seed}, round {round}");
            taken += claimed.Count;
            all.RemoveAll(claimed.Contains);
            Live(nodes, TimeSpan.FromSeconds(random.Next(1, 90)));
            await Store.PromoteAsync(1000, Stop);
            await Store.TidyAsync(Stop);
        }

        taken.ShouldBeGreaterThan(0);
    }

    private async Task ChangeSomethingAsync(TestNode[] nodes, HashSet<Guid> draining, Random random)
    {
        var queue = random.Next(2) == 0 ? "default" : "mail";
        switch (random.Next(4))
        {
            case 0:
                await Store.Operations.PauseQueueAsync(queue, true, random.Next(2) == 0 ? null : Clock.GetUtcNow() + TimeSpan.FromSeconds(random.Next(1, 120)), ann, Stop);
                break;
            case 1:
                await Store.Operations.PauseQueueAsync(queue, false, null, ann, Stop);
                break;
            default:
                var node = nodes[random.Next(nodes.Length)];
                var drains = draining.Add(node.Id) || !draining.Remove(node.Id);
                (await Store.Operations.DrainAsync(node.Id, drains, ann, Stop)).ShouldBe(true);
                break;
        }
    }

    private async Task<IEnumerable<long>> SubmitSomeAsync(Random random)
    {
        string[] types = ["send", "report", "unknown"];
        string[] queues = ["default", "mail", "nobody"];
        var jobs = Enumerable.Range(0, 8).Select(_ => Some.Job(
            types[random.Next(3)], queue: queues[random.Next(3)], priority: (short)random.Next(3), delay: TimeSpan.FromSeconds(Math.Max(0, random.Next(-60, 60))))).ToArray();
        await SubmitAllAsync(jobs);
        await Store.CancelAsync(jobs[random.Next(jobs.Length)].Id, null, null, Stop);
        return jobs.Select(job => job.Id);
    }

    /// <summary>Its jobs are suspects from then on: they are claimed too, each alone.</summary>
    private async Task LoseANodeAsync(TestNode[] nodes, List<long> all)
    {
        var lost = await NodeAsync("send", "report");
        NewJob[] jobs = [Some.Job(queue: "mail"), Some.Job(queue: "mail"), Some.Job()];
        await SubmitAllAsync(jobs);
        all.AddRange(jobs.Select(job => job.Id));
        await lost.ClaimAsync(100, "mail");
        await lost.DieAsync();
        Live(nodes, Some.Second);
        await nodes[0].SweepAsync();
    }

    /// <summary>Time passes for all of them.</summary>
    private void Live(TestNode[] nodes, TimeSpan time)
    {
        for (var step = Some.Expiry / 2; time > TimeSpan.Zero; time -= step)
        {
            Clock.Advance(time < step ? time : step);
            foreach (var node in nodes)
                node.Beat().ShouldBeTrue("a node that beats in time lives");
        }
    }

    private static async Task<List<long>> ClaimAllAsync(IEnumerable<TestNode> nodes)
    {
        var claimed = new List<long>();
        foreach (var node in nodes)
        {
            foreach (var queue in (string[])["default", "mail"])
            {
                claimed.AddRange((await node.ClaimAsync(1000, queue)).Select(claim => claim.JobId));
                while (await node.ClaimAsync(1, queue, suspects: true) is [var suspect])
                    claimed.Add(suspect.JobId);
            }
        }

        return claimed;
    }
}
