namespace Millrace.Bench.Workers;

/// <summary>What a worker process tells of the jobs it runs.</summary>
internal enum WorkerMode
{
    /// <summary>How many they are, a few times a second.</summary>
    Count,

    /// <summary>When each ping started, at once.</summary>
    Tell,

    /// <summary>When each ping started, at the end.</summary>
    Keep,
}
