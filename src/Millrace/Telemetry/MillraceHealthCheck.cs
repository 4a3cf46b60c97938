using Microsoft.Extensions.Diagnostics.HealthChecks;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Telemetry;

/// <summary>Does the database answer, does the life sign beat, does every loop get on?</summary>
internal sealed class MillraceHealthCheck(MillraceInstance instance) : IHealthCheck
{
    // As many as are logged as a warning: one or two failures are what reconnecting looks like.
    private const int TooManyFailures = 3;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object>(StringComparer.Ordinal);
        try
        {
            data["store"] = instance.Store.Name;
            data["clock"] = await instance.Store.ReadClockAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is StoreException or SetupException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, exception.Message, exception, data);
        }
        if (instance.Workers is not { } workers)
            return HealthCheckResult.Healthy("This process only submits; the database answers.", data);
        if (!instance.Host.IsStarted)
            return HealthCheckResult.Unhealthy("The workers have not started, or have stopped.", null, data);

        data["node"] = instance.Node.Id;
        data["running"] = instance.Running.Count;
        data["isDraining"] = instance.Node.IsDraining;
        var silence = instance.Node.LastBeat is { } beat ? instance.Time.GetUtcNow() - beat : TimeSpan.Zero;
        data["sinceLastBeat"] = silence;
        var failing = new List<string>();
        foreach (var loop in instance.Host.Tending)
        {
            if (loop.LastSuccess is { } success)
                data[$"sinceLastSuccess:{loop.Name}"] = instance.Time.GetUtcNow() - success;
            if (loop.Failures >= TooManyFailures)
                failing.Add($"{loop.Name} ({loop.Failures} times)");
        }
        failing.AddRange(instance.Loops.Where(loop => loop.FailedTurns >= TooManyFailures).Select(loop => $"queue {loop.Queue} ({loop.FailedTurns} times)"));

        if (silence > workers.NodeExpiry / 2)
            return HealthCheckResult.Unhealthy($"The node has not renewed itself for {silence}; after {workers.NodeExpiry} its jobs are taken back.", null, data);
        if (instance.Loops.Sum(static loop => loop.Abandoned) is > 0 and var abandoned)
            failing.Add($"{abandoned} handlers run on after their timeout");
        if (instance.Supervisor is { } supervisor)
        {
            data["workers"] = string.Join(", ", supervisor.List().Select(static worker => $"{worker.Name}: {worker.State}"));
            if (supervisor.Faults is { Count: > 0 } faults)
                return new HealthCheckResult(supervisor.HasReady ? HealthStatus.Degraded : HealthStatus.Unhealthy, string.Join(" ", faults), null, data);
        }
        return failing.Count > 0
            ? HealthCheckResult.Degraded($"Failing in a row: {string.Join(", ", failing)}.", null, data)
            : HealthCheckResult.Healthy(instance.Node.IsDraining ? "All loops work; the node was asked to claim no more." : "The database answers and all loops work.", data);
    }
}
