namespace Millrace.Processes;

/// <summary>How many children there are to be, and why there cannot be any. The environment variable is the operator's word, and comes before the code's.</summary>
internal static class WorkerCount
{
    public const string Variable = "MILLRACE_WORKERS";

    /// <returns>A sentence about what is wrong; null when nothing is.</returns>
    public static string? Apply(string? variable, WorkerOptions options)
    {
        if (!string.IsNullOrEmpty(variable))
        {
            if (!WorkerProcesses.TryParse(variable, out var processes))
                return $"The environment variable {Variable} is \"{variable}\"; it must be \"cpus\" or a number from 0 to {WorkerProcesses.Most}.";
            options.Processes = processes;
        }
        return options.Processes.Count is < 0 or > WorkerProcesses.Most
            ? $"WorkerOptions.Processes must be WorkerProcesses.PerCpu or a number from 0 to {WorkerProcesses.Most}; it is {options.Processes}."
            : null;
    }
}
