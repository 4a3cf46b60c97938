using Millrace.Working;

namespace Millrace.Processes;

/// <summary>What the application sees of its children, from before there are any.</summary>
internal sealed class WorkerProcessList(MillraceInstance instance) : IWorkerProcesses
{
    public IReadOnlyList<WorkerProcessInfo> List() => instance.Supervisor?.List() ?? [];

    public Task<int> RestartAsync(CancellationToken cancellationToken = default) => instance.Supervisor?.RestartAsync(cancellationToken) ?? Task.FromResult(0);
}
