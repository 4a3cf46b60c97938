using Millrace.Working;

namespace Millrace.Tests.Protocol;

/// <summary>What must be true at every moment.</summary>
internal static class Invariants
{
    /// <returns>What is not true; null when all is well.</returns>
    public static string? Broken(World world, Scenario scenario)
    {
        if (world.Fault is not null)
            return world.Fault;
        for (var job = 0; job < scenario.Jobs; job++)
            if (Broken(world.Db, job) is { } fault)
                return fault;
        if (world.Db.Leases.Any(lease => lease.Size > 1 && lease.Runs.Any(run => run.IsSuspect)))
            return "a suspect was claimed with others";
        return scenario.Allows(Steps.Keys) && world.Db.Pending.Count > 1 ? "two jobs with one key are pending" : null;
    }

    private static string? Broken(Database db, int job)
    {
        var ends = db.Ended.Where(end => end.Job == job).ToArray();
        if (db.Effects.Count(effect => effect.Job == job) > 1)
            return $"the effects of job {job} were committed twice";
        if (!db.Jobs.Has(job))
            return ends.Length > 0 ? $"an end of job {job}, which is pruned, was accepted" : db.IsPending(job) ? $"job {job}, which is pruned, came back" : null;

        var pending = db.Pending.Where(pending => pending.Job == job).ToArray();
        var running = db.Running(job).ToArray();
        var from = db.CountsFrom(job);
        var finals = ends.Count(end => end.Outcome.IsFinal() && end.Run >= from);
        if (pending.Length + running.Length + finals != 1)
            return $"job {job} is in {pending.Length + running.Length + finals} places: {pending.Length} pending, {running.Length} running, {finals} finished";
        if (ends.Select(end => end.Run).Distinct().Count() != ends.Length)
            return $"one run of job {job} ended twice";
        if (db.Effects.Any(effect => effect.Job == job && db.EndOf(job, effect.Run)?.Outcome != Outcome.Succeeded))
            return $"the effects of job {job} were committed without its completion";
        if (ends.Any(end => end is { IsRescued: true, IsCharged: true, WasAlone: false }))
            return $"job {job} was charged for a crash in company";
        // Shutdown ends no job: of the ends that a node may ask for, only these are final.
        if (ends.Any(end => end is { Outcome: Outcome.Discarded, IsCharged: false }))
            return $"job {job} was given up by a run that was not charged";
        return pending.Length == 0 ? null : BrokenPending(db, pending[0], [.. ends.Where(end => end.Run >= from)]);
    }

    private static string? BrokenPending(Database db, PendingJob pending, EndedRun[] ends)
    {
        var job = pending.Job;
        var charged = ends.Count(end => end.IsCharged);
        var crashes = ends.Count(end => end is { IsRescued: true, WasAlone: true, IsCharged: true });
        var deathsAlone = ends.Count(end => end is { IsRescued: true, WasAlone: true, Outcome: Outcome.Interrupted });
        if (pending.Attempt != charged + 1)
            return $"job {job} waits for attempt {pending.Attempt}, and {charged} were charged";
        if (pending.Crashes != crashes)
            return $"job {job} carries {pending.Crashes} crashes, and had {crashes}";
        if (db.EndOf(job, pending.Run) is not null)
            return $"job {job} waits for run {pending.Run}, which has ended: it can never end";
        if (db.Promised.Has(job))
            return $"job {job} is pending again after its cancel was accepted";
        if (deathsAlone >= RescueDecision.CrashesToQuarantine && pending.Place != Place.Quarantine)
            return $"job {job} has killed {deathsAlone} processes, and may kill the next";
        if (pending is { IsSuspect: true, Place: Place.Scheduled })
            return $"job {job} is a suspect and waits for its time";
        return null;
    }

    /// <summary>Whether every job is where it ends without anybody's doing, or the exploration has reached its edge.</summary>
    public static bool IsSettled(World world, Scenario scenario) =>
        world.Claims == scenario.Claims
        || Enumerable.Range(0, scenario.Jobs).All(job =>
            !world.Db.Jobs.Has(job) || world.Db.IsFinished(job) || world.Db.Pending.Any(pending => pending.Job == job && (pending.Place == Place.Quarantine || pending.Run > scenario.Runs)));
}
