using Millrace.Storage;

namespace Millrace.Working;

/// <summary>Jobs that this process submits and can run at once are claimed in the commit that stores them: they start without another trip to the database.</summary>
internal sealed class Births(MillraceInstance instance)
{
    /// <summary>Keeps slots for those of these jobs that can start at once; null when there are none. They are of one queue, because a lease belongs to one.</summary>
    public Birth? Reserve(IReadOnlyList<NewJob> jobs)
    {
        if (instance.Loops.Count == 0 || !instance.Node.MayClaim || instance.Solo.IsRule)
            return null;
        QueueLoop? loop = null;
        HashSet<long>? ids = null;
        foreach (var job in jobs)
        {
            if (job is not { Key: null, Due: null } || job.Delay > TimeSpan.Zero || (loop is not null && loop.Queue != job.Queue) || instance.Types.Find(job.Type) is not { IsIsolated: false })
                continue;
            loop ??= instance.Loops.FirstOrDefault(each => each.Queue == job.Queue);
            if (loop is null)
                continue;
            if (!loop.TryReserve())
                break;
            (ids ??= []).Add(job.Id);
        }
        if (loop is null || ids is null)
            return null;
        var claim = new BirthClaim(instance.Node.Id, Guid.NewGuid(), loop.Queue, ids);
        // Known before it exists, so that upkeep does not take it for forgotten.
        loop.Leases.Expect(claim.Lease);
        return new Birth(instance, loop, claim);
    }
}

/// <summary>One reservation, from before the submission until its answer.</summary>
internal sealed class Birth(MillraceInstance instance, QueueLoop loop, BirthClaim claim)
{
    public BirthClaim Claim => claim;

    /// <summary>The submission was answered: what was leased starts now.</summary>
    public void Answered(IReadOnlyList<NewJob> jobs, IReadOnlyList<SubmitAnswer> answers)
    {
        var received = instance.Time.GetTimestamp();
        var claimed = new List<HeldClaim>(claim.Jobs.Count);
        for (var i = 0; i < jobs.Count; i++)
        {
            if (answers[i].Claimed is { } at)
                claimed.Add(new HeldClaim(ClaimOf(jobs[i], at), claim.Node, received));
        }
        loop.Adopt(claim.Jobs.Count, claim.Lease, claimed);
    }

    /// <summary>There was no answer. If the lease was made all the same, upkeep finds that nobody here knows it, and gives it back.</summary>
    public void Failed() => loop.Adopt(claim.Jobs.Count, claim.Lease, []);

    private Claim ClaimOf(NewJob job, DateTimeOffset at) => new()
    {
        Lease = claim.Lease,
        JobId = job.Id,
        Run = 1,
        Attempt = 1,
        Ready = at,
        Type = job.Type,
        Tag = job.Tag,
        UserId = job.UserId,
        Queue = job.Queue,
        Priority = job.Priority,
        Data = job.Data,
        Due = at,
        Created = at,
        Policy = job.Policy,
        Headers = job.Headers,
        Trace = job.Trace,
        Parent = job.Parent,
        Schedule = job.Schedule,
        Claimed = at,
    };
}
