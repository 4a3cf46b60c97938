using Microsoft.Extensions.DependencyInjection;
using Millrace.Processes;
using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Working;

/// <summary>Everything that can be found wrong before the first job, found at start, in one message.</summary>
internal static class SetupCheck
{
    public static async Task RunAsync(MillraceInstance instance, CancellationToken cancellationToken)
    {
        List<string> faults = [.. instance.Faults, .. instance.Types.Faults];
        foreach (var type in instance.Types.Types)
            Check(type, faults);
        if (instance is { Workers: not null, Child: null } && (instance.IsSupervised || instance.Types.HasIsolated) && StartCommand.Refusal() is { } refusal)
            faults.Add($"{NeedsChildren(instance)}, and this program cannot start itself again as a child: {refusal}.");
        foreach (var addition in instance.Additions)
            faults.AddRange(await addition.FindFaultsAsync(hasStarted: false).ConfigureAwait(false));
        if (faults.Count == 0 && instance.Workers is not null)
            CheckHandlers(instance, faults);
        if (faults.Count > 0)
            throw new SetupException(faults);

        try
        {
            await instance.EnsureReadyAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException exception)
        {
            throw new SetupException([exception.Message], exception);
        }
    }

    private static string NeedsChildren(MillraceInstance instance) => instance.IsSupervised
        ? $"WorkerOptions.Processes (or {WorkerCount.Variable}) asks for {instance.Workers?.Processes} child processes"
        : $"[Job(\"{instance.Types.Isolated[0]}\", Isolated = true)] needs a child process";

    private static void Check(JobType type, List<string> faults)
    {
        foreach (var name in type.Aliases.Prepend(type.Name))
        {
            if (NameValidator.Fault("Job type", name) is { } fault)
                faults.Add($"The name of {type.DataType.Name}: {fault}");
        }
        if (type.Attribute is not { } attribute)
            return;
        if (attribute.MaxAttempts is < 0 or > 1000)
            faults.Add($"[Job(\"{attribute.Name}\")].MaxAttempts must be 1 to 1,000, or 0 for the default; it is {attribute.MaxAttempts}.");
        if (attribute.Queue is { } queue && NameValidator.Fault("Queue", queue) is { } queueFault)
            faults.Add($"[Job(\"{attribute.Name}\")].Queue: {queueFault}");
        try
        {
            faults.AddRange(JobPolicies.Of(attribute).Faults($"[Job(\"{attribute.Name}\")]"));
        }
        catch (FormatException exception)
        {
            faults.Add(exception.Message);
        }
    }

    /// <summary>Makes each handler once, in a scope of its own, so that a missing service is found now and not by the first job at night.</summary>
    private static void CheckHandlers(MillraceInstance instance, List<string> faults)
    {
        foreach (var type in instance.Types.Types.Where(type => type.TryMake is not null))
        {
            try
            {
                type.TryMake!(instance.Services);
            }
            catch (Exception exception)
            {
                faults.Add($"The handler {type.HandlerType?.Name} of job type \"{type.Name}\" cannot be made: {exception.Message}");
            }
        }
    }
}
