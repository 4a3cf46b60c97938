using Millrace.Tending;
using Millrace.Working;

namespace Millrace.Processes;

/// <summary>In a child: notices when it should be replaced, and says so once.</summary>
internal sealed class RecycleWatch(MillraceInstance instance, ChildLink link, WorkerOptions options) : ITender
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private bool isSaid;

    public string Name => "recycle";

    public Signal Wake { get; } = new();

    public Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        if (!isSaid && Reason() is { } reason)
        {
            isSaid = true;
            link.Tell(new ChildMessage.Recycle(reason));
        }
        return Task.FromResult(Interval);
    }

    private string? Reason()
    {
        if (instance.Loops.Sum(static loop => loop.Abandoned) is > 0 and var abandoned)
            return $"{abandoned} handlers did not stop {options.TimeoutGrace} after their timeout (WorkerOptions.TimeoutGrace)";
        if (options.RecycleAfterJobs > 0 && instance.Runner.Runs >= options.RecycleAfterJobs)
            return $"it has run {instance.Runner.Runs} jobs (WorkerOptions.RecycleAfterJobs is {options.RecycleAfterJobs})";
        if (options.RecycleAboveMemory > 0 && Environment.WorkingSet is var memory && memory > options.RecycleAboveMemory)
            return $"it uses {memory / 1024 / 1024} MB (WorkerOptions.RecycleAboveMemory is {options.RecycleAboveMemory / 1024 / 1024} MB)";
        return null;
    }
}
