using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.ExceptionServices;
using Millrace.Storage;

namespace Millrace.System.Tests;

/// <summary>What becomes of a call that fails.</summary>
public enum Mishap
{
    /// <summary>The database was not reached.</summary>
    Before,

    /// <summary>The work was done, and the answer was lost.</summary>
    After,

    /// <summary>Nobody answers until the caller gives up or the command's time is over. Whether the work was done is decided by the seed.</summary>
    Hang,
}

/// <summary>A store of which one call fails. A proxy, so that the contract can grow without this file.</summary>
public class FaultyStore : DispatchProxy
{
    // What looks around again and again would use up all numbers: the first three of each count.
    private static readonly HashSet<string> Looks =
        [nameof(IJobStore.LookOutAsync), nameof(IJobStore.SurveyAsync), nameof(IJobStore.PromoteAsync), nameof(IJobStore.TickAsync), nameof(IJobStore.SetIdleAsync), nameof(IHeartbeat.Beat),
            nameof(IJobStore.ReadClockAsync), nameof(IJobStore.ReadSchedulesAsync), nameof(IJobStore.FindAsync), nameof(IJobStore.ReadCancelRequestsAsync)];

    private static readonly MethodInfo Generic = typeof(FaultyStore).GetMethod(nameof(FaultAsync), BindingFlags.Instance | BindingFlags.NonPublic)!;

    private readonly ConcurrentDictionary<string, int> counts = new();
    private IJobStore? inner;
    private Mishap mishap;
    private TimeSpan patience;
    private bool hangsAfter;
    private int remaining;
    private string? only;

    /// <summary>Which operation failed; null before.</summary>
    public string? Failed { get; private set; }

    /// <param name="inner">The real one.</param>
    /// <param name="mishap">What happens.</param>
    /// <param name="n">Which call, from 1; 0 for none.</param>
    /// <param name="patience">How long a call that hangs keeps its caller.</param>
    /// <param name="seed">For <see cref="Mishap.Hang"/>.</param>
    /// <param name="only">The operation whose calls are counted; null for all.</param>
    public static (IJobStore Store, FaultyStore Faults) Create(IJobStore inner, Mishap mishap, int n, TimeSpan patience, int seed, string? only = null)
    {
        var proxy = Create<IJobStore, FaultyStore>();
        var faulty = (FaultyStore)(object)proxy;
        (faulty.inner, faulty.mishap, faulty.remaining, faulty.patience, faulty.only) = (inner, mishap, n, patience, only);
        faulty.hangsAfter = new Random(seed).Next(2) == 1;
        return (proxy, faulty);
    }

    /// <summary>The next call that is numbered fails.</summary>
    public void FailNext()
    {
        Failed = null;
        Volatile.Write(ref remaining, 1);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        ArgumentNullException.ThrowIfNull(targetMethod);
        if (targetMethod.Name == nameof(IJobStore.OpenHeartbeat))
            return new FaultyHeartbeat((IHeartbeat)Perform(targetMethod, args)!, this);
        if (!typeof(Task).IsAssignableFrom(targetMethod.ReturnType) || !IsTurnOf(targetMethod.Name))
            return Perform(targetMethod, args);
        var result = targetMethod.ReturnType.IsGenericType ? targetMethod.ReturnType.GenericTypeArguments[0] : typeof(bool);
        return Generic.MakeGenericMethod(result).Invoke(this, [targetMethod, args]);
    }

    private async Task<T> FaultAsync<T>(MethodInfo method, object?[] args)
    {
        var cancellationToken = args.OfType<CancellationToken>().FirstOrDefault();
        if (mishap == Mishap.Before)
            throw Lost();
        if (mishap == Mishap.After || hangsAfter)
            await (Task)Perform(method, args)!;
        if (mishap == Mishap.Hang)
            await Task.Delay(patience, TimeProvider.System, cancellationToken);
        throw Lost();
    }

    private StoreException Lost() => new(mishap == Mishap.Before ? StoreFault.Unavailable : StoreFault.Unknown, $"The test lets {Failed} fail: {mishap}.");

    private bool IsTurnOf(string name)
    {
        if (only is not null ? name != only : Looks.Contains(name) && counts.AddOrUpdate(name, 1, static (_, count) => count + 1) > 3)
            return false;
        if (Interlocked.Decrement(ref remaining) != 0)
            return false;
        Failed = name;
        return true;
    }

    private object? Perform(MethodInfo method, object?[]? args)
    {
        try
        {
            return method.Invoke(inner, args);
        }
        catch (TargetInvocationException exception) when (exception.InnerException is { } cause)
        {
            ExceptionDispatchInfo.Throw(cause);
            throw;
        }
    }

    private sealed class FaultyHeartbeat(IHeartbeat inner, FaultyStore faults) : IHeartbeat
    {
        public bool Beat(ProcessLoad? load = null)
        {
            if (!faults.IsTurnOf(nameof(Beat)))
                return inner.Beat(load);
            if (faults.mishap == Mishap.After || (faults.mishap == Mishap.Hang && faults.hangsAfter))
                inner.Beat(load);
            if (faults.mishap == Mishap.Hang)
                inner.Wait(faults.patience);
            throw faults.Lost();
        }

        public IReadOnlyCollection<string> Wait(TimeSpan timeout) => inner.Wait(timeout);

        public void Interrupt() => inner.Interrupt();

        public void Dispose() => inner.Dispose();
    }
}
