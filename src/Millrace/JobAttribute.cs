namespace Millrace;

/// <summary>Gives a type of job its stored name, and its policy unless configuration or a submission says otherwise. Stands on the data record.</summary>
/// <example><code>[Job("welcome", MaxAttempts = 5, Timeout = "00:01:00")] public sealed record Welcome(string Email);</code></example>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, Inherited = false)]
public sealed class JobAttribute : Attribute
{
    /// <summary>Names the type.</summary>
    /// <param name="name">What is stored. At most 200 bytes. Choose it once: renaming the C# type changes nothing, changing this strands what is stored (see <see cref="Aliases"/>).</param>
    public JobAttribute(string name) => Name = name;

    /// <summary>The stored name.</summary>
    public string Name { get; }

    /// <summary>Earlier names. Jobs stored under them run with this type's handler.</summary>
    public string[] Aliases { get; set; } = [];

    /// <summary>How many attempts a job has in all. 1 to 1,000; 0 (the default) leaves it to <see cref="MillraceOptions.MaxAttempts"/>.</summary>
    public int MaxAttempts { get; set; }

    /// <summary>How long one attempt may run before its token is cancelled, as <c>"hh:mm:ss"</c>; null (the default) leaves it to <see cref="MillraceOptions.Timeout"/>.</summary>
    public string? Timeout { get; set; }

    /// <summary>
    /// Whether each of its jobs runs in a child process with no other job, so that it can be killed at its deadline and takes nobody along when it crashes. At the timeout its token is cancelled; one
    /// second later the server kills the process, by its own monotonic clock: no handler runs longer. The attempt counts, and the job runs again at once if it has attempts left.
    /// See <see cref="WorkerOptions.IsolatedProcesses"/> for how many run at the same time.
    /// </summary>
    public bool Isolated { get; set; }

    /// <summary>The queue its jobs go to; null (the default) means <c>"default"</c>.</summary>
    public string? Queue { get; set; }

    /// <summary>How long a finished job is kept, as <c>"d.hh:mm:ss"</c>, or <c>"forever"</c>; null (the default) leaves it to <see cref="MillraceOptions"/>.</summary>
    public string? RemoveDelay { get; set; }
}
