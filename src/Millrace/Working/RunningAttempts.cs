using System.Collections.Concurrent;

namespace Millrace.Working;

/// <summary>The attempts that run in this process, so that they can be told to stop.</summary>
internal sealed class RunningAttempts
{
    private readonly ConcurrentDictionary<long, Attempt> byJob = new();

    public int Count => byJob.Count;

    public IReadOnlyCollection<long> JobIds => [.. byJob.Keys];

    public IReadOnlyCollection<Attempt> All => [.. byJob.Values];

    public void Add(Attempt attempt) => byJob[attempt.Claim.JobId] = attempt;

    public void Remove(Attempt attempt) => byJob.TryRemove(new KeyValuePair<long, Attempt>(attempt.Claim.JobId, attempt));

    public Attempt? Find(long jobId) => byJob.GetValueOrDefault(jobId);

    public void StopAll(StopReason reason, string message)
    {
        foreach (var attempt in byJob.Values)
            attempt.Stop(reason, message);
    }
}
