using Millrace.Storage;

namespace Millrace.Inspecting;

/// <summary>
/// Under which conditions a claim takes a job: the one place that says it in C#. The stores say it in their statements, and <c>ExplainContract</c> compares the two. Pure.
/// </summary>
internal static class ClaimConditions
{
    /// <summary>What stands between a job and a claim; none: the next claim from its queue that has room takes it, when those before it are gone.</summary>
    public static Obstacles Of(JobFacts facts) => (facts.Job.Row.State == JobState.Ready ? Obstacles.None : Obstacles.NotReady) | OfQueueAndType(facts);

    /// <summary>The same for a job that would be ready.</summary>
    public static Obstacles OfQueueAndType(JobFacts facts)
    {
        var obstacles = facts.QueuePause is null ? Obstacles.None : Obstacles.QueuePaused;
        if (facts.NodesOfQueue == 0)
            return obstacles | Obstacles.NoNodeOfQueue;
        if (facts.Claimers.Count == 0)
            return obstacles | Obstacles.NoNodeOfType;
        return facts.Claimers.All(node => node.IsDraining) ? obstacles | Obstacles.AllDraining : obstacles;
    }
}

/// <summary>What can stand between a job and a claim.</summary>
[Flags]
internal enum Obstacles
{
    None = 0,

    /// <summary>It is not in line: it waits, runs, or has finished.</summary>
    NotReady = 1,

    /// <summary>A person has paused its queue.</summary>
    QueuePaused = 2,

    /// <summary>No living node works on its queue.</summary>
    NoNodeOfQueue = 4,

    /// <summary>Of the living nodes that work on its queue none knows its type.</summary>
    NoNodeOfType = 8,

    /// <summary>Those that could claim it were asked to claim no more.</summary>
    AllDraining = 16,
}
