namespace Millrace.Storage.Tests;

/// <summary>Things that tests need and do not care about. A test names only what matters to it.</summary>
internal static class Some
{
    private static long lastId = 1_000_000;

    /// <summary>When every test begins.</summary>
    public static readonly DateTimeOffset Noon = new(2026, 1, 5, 12, 0, 0, TimeSpan.Zero);

    public static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>How long a test's node lives after a beat.</summary>
    public static readonly TimeSpan Expiry = TimeSpan.FromSeconds(30);

    public static long Id() => Interlocked.Increment(ref lastId);

    public static NewJob Job(
        string type = "send", string? tag = null, string queue = "default", short priority = 0, string data = "{}",
        DateTimeOffset? due = null, TimeSpan delay = default, JobKey? key = null, long? id = null, long? nonce = null) => new()
    {
        Id = id ?? Id(),
        Nonce = nonce ?? Random.Shared.NextInt64(),
        Type = type,
        Tag = tag ?? key?.Name,
        Queue = queue,
        Priority = priority,
        Data = data,
        Due = due,
        Delay = delay,
        Key = key,
    };

    public static NewJob[] Jobs(int count, string type = "send", string queue = "default") =>
        [.. Enumerable.Range(0, count).Select(_ => Job(type, queue: queue))];

    public static JobKey Key(string name = "sync-user-42", WhenPending onConflict = WhenPending.Keep, Unique until = default) =>
        new(name, onConflict, until);

    public static Schedule Schedule(string name = "report", bool isPersistent = true, DateTimeOffset? nextDue = null, NewJob? template = null) => new()
    {
        Name = name,
        Cron = "0 0 * * * *",
        Zone = "Etc/UTC",
        IsPersistent = isPersistent,
        Template = template ?? Job("report", tag: name),
        NextDue = nextDue ?? Noon + Minute,
    };

    public static LogLine Line(Claim claim, int line, string message = "hello") => new(
        claim.JobId, claim.Run, line, Noon, Microsoft.Extensions.Logging.LogLevel.Information, "Some.Category", message, null, null);

    /// <summary>What a rescuer of the core decides for most runs: let it run again, and count it.</summary>
    public static RescueVerdict Again(LeasedRun run) => new()
    {
        Outcome = Outcome.Interrupted, Charged = run.IsAlone, Crashes = run.IsAlone ? run.Crashes + 1 : run.Crashes, IsSuspect = true, Error = "The node died.",
    };

    public static RescueVerdict Discard(LeasedRun run) => new()
    {
        Outcome = Outcome.Discarded, Charged = true, Crashes = run.Crashes, Error = "The node died, and the attempts are used up.", RemoveAfter = Minute,
    };

    public static RescueVerdict Quarantine(LeasedRun run) => new()
    {
        Outcome = Outcome.Interrupted, Charged = true, Crashes = run.Crashes + 1, IsQuarantined = true, Error = "The node died with it for the third time.",
    };

    /// <summary>What a node does with a lease of its own that it does not know (rule 7): hand the jobs back.</summary>
    public static RescueVerdict HandBack(LeasedRun run) => new()
    {
        Outcome = Outcome.Interrupted, Charged = false, Crashes = run.Crashes, Error = "The claim's answer was lost.",
    };
}
