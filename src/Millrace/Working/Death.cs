using System.Collections.Concurrent;

namespace Millrace.Working;

/// <summary>What is known about the end of a child process, for those who take back its jobs.</summary>
/// <param name="How">A sentence or two: who died, how, and the last lines it wrote.</param>
/// <param name="Running">What it ran at that moment; null when that is not known.</param>
/// <param name="Overdue">The run for whose deadline it was killed.</param>
/// <param name="IsOurDoing">It was killed by its parent, for no fault of a job.</param>
internal sealed record Death(string How, IReadOnlySet<(long JobId, int Run)>? Running, (long JobId, int Run)? Overdue = null, bool IsOurDoing = false);

/// <summary>The deaths of this process's children, by node. Only as many are kept as upkeep may still ask for.</summary>
internal sealed class Deaths
{
    private const int MaxKept = 1000;

    private readonly ConcurrentDictionary<Guid, Death> byNode = new();
    private readonly ConcurrentQueue<Guid> order = new();

    public void Add(Guid node, Death death)
    {
        byNode[node] = death;
        order.Enqueue(node);
        while (byNode.Count > MaxKept && order.TryDequeue(out var oldest))
            byNode.TryRemove(oldest, out _);
    }

    public Death? Find(Guid node) => byNode.GetValueOrDefault(node);
}
