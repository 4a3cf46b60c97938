using Millrace.Storage;
using Millrace.Telemetry;
using Millrace.Working;

namespace Millrace.Tending;

/// <summary>Finds nodes that died and takes their jobs back. Any node does it; guarded statements keep two of them out of each other's way.</summary>
internal sealed class Sweeper(MillraceInstance instance) : ITender
{
    // A node is dead when its row has expired and its beat has not moved for a third of the expiry by our own clock, so that a jump of the database's clock kills nobody.
    private readonly Dictionary<Guid, (long Beat, long At)> sightings = [];

    public string Name => "sweep";

    public Signal Wake => instance.WakeUps.Dead;

    private TimeSpan Interval => instance.Workers!.NodeExpiry / 6;

    public async Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        var survey = await instance.Store.SurveyAsync(instance.Node.Id, cancellationToken).ConfigureAwait(false);
        instance.Node.SetDraining(survey.IsDraining);
        await ReleaseOwnAsync(survey, cancellationToken).ConfigureAwait(false);
        // The dead are for servers: a child's own server knows best how it died, and is there for as long as the child is.
        if (instance.Child is not null)
            return Pause();
        var buried = await BuryAsync(survey, cancellationToken).ConfigureAwait(false);
        await RescueAsync(survey, cancellationToken).ConfigureAwait(false);
        if (survey.NeedsTidying)
            instance.WakeUps.Ready(await instance.Store.TidyAsync(cancellationToken).ConfigureAwait(false));
        // The leases of a node that was buried just now are in the next survey.
        return buried ? TimeSpan.Zero : Pause();
    }

    private TimeSpan Pause() => Interval * (0.85 + 0.3 * Random.Shared.NextDouble());

    private async Task<bool> BuryAsync(Survey survey, CancellationToken cancellationToken)
    {
        var buried = false;
        var seen = survey.Expired.Select(node => node.Id).ToHashSet();
        foreach (var gone in sightings.Keys.Where(id => !seen.Contains(id)).ToList())
            sightings.Remove(gone);
        foreach (var node in survey.Expired)
        {
            if (!IsSeenOften(node) || !await instance.Store.BuryAsync(node, cancellationToken).ConfigureAwait(false))
                continue;
            Log.NodeBuried(instance.Log, node.Id, node.Name);
            sightings.Remove(node.Id);
            buried = true;
        }
        return buried;
    }

    private bool IsSeenOften(NodeSighting node)
    {
        if (node.IsCertain)
            return true;
        if (sightings.TryGetValue(node.Id, out var first) && first.Beat == node.Beat)
            return instance.Time.GetElapsedTime(first.At) >= Interval * 2;
        sightings[node.Id] = (node.Beat, instance.Time.GetTimestamp());
        return false;
    }

    private async Task RescueAsync(Survey survey, CancellationToken cancellationToken)
    {
        foreach (var (lease, node) in survey.LeasesOfTheDead)
        {
            var death = instance.Deaths.Find(node);
            await RescueAsync(lease, run => RescueDecision.Decide(run, instance.Policies.For(run.Type, run.Policy), death), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReleaseOwnAsync(Survey survey, CancellationToken cancellationToken)
    {
        foreach (var lease in survey.OwnLeases)
        {
            // A claim whose answer we never got: nobody works on it.
            if (!instance.Loops.Any(loop => loop.Leases.Knows(lease)))
                await RescueAsync(lease, RescueDecision.NeverStarted, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task RescueAsync(Guid lease, Func<LeasedRun, RescueVerdict> decide, CancellationToken cancellationToken)
    {
        var answer = await instance.Store.RescueAsync(lease, instance.Node.Id, decide, cancellationToken).ConfigureAwait(false);
        instance.Stats.Count(answer, instance.Node.Id);
        if (answer is { Back: 0, Ended: 0, Skipped: 0 })
            return;
        Log.Rescued(instance.Log, lease, answer.Back, answer.Ended, answer.Skipped);
        foreach (var loop in instance.Loops.Where(loop => answer.Queues.Contains(loop.Queue)))
        {
            loop.Wake();
            loop.WakeForSuspect();
        }
        instance.Supervisor?.Look();
    }
}
