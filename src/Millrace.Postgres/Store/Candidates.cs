using Millrace.Storage;

namespace Millrace.Postgres;

/// <summary>Where a search takes its candidates from.</summary>
internal enum MatchSource
{
    /// <summary>All jobs, by id.</summary>
    All,

    /// <summary>The places of jobs that have not finished.</summary>
    Places,

    /// <summary>Jobs with one of a few tags.</summary>
    Tag,

    /// <summary>The ticks of schedules.</summary>
    Schedule,

    /// <summary>The children of a job.</summary>
    Parent,

    /// <summary>Jobs with a failed attempt, while there are few.</summary>
    Failures,

    /// <summary>Jobs that have finished once, by id: past a long backlog of newer ones that have not.</summary>
    Finished,
}

/// <summary>The statements that give a search its candidates: ids in order, a helping at a time.</summary>
internal static class Candidates
{
    /// <summary>Up to how many rows are few enough to be sorted for each page.</summary>
    public const int Few = 20_000;

    /// <summary>The statement that counts what a source holds, up to a little more than <see cref="Few"/>; null for one that is good however much it holds.</summary>
    public static string? Measure(MatchSource source) => source switch
    {
        MatchSource.Tag => CountTagged,
        MatchSource.Failures => CountFailures,
        _ => null,
    };

    private const string CountTagged = """
        select count(*)
        from (select from millrace.job j where j.tag = any(@tags) limit 20001) few
        """;

    private const string CountFailures = """
        select count(*)
        from (select from millrace.attempt a where a.success = false and a.finished >= @failed_from and a.finished <= @failed_to limit 20001) few
        """;

    private const string FromAll = """
        select j.id
            from millrace.job j
            where j.id > @low and j.id < @high
            order by j.id {order}
            limit @chunk
        """;

    private const string FromPlaces = """
        select distinct place.id
            from ({places}) place
            order by place.id {order}
            limit @chunk
        """;

    private const string FromPlace = """
        (select p.id from millrace.{place} p where p.id > @low and p.id < @high order by p.id {order} limit @chunk)
        """;

    private const string FromLeases = """
        (select u.job_id as id from millrace.lease l cross join lateral unnest(l.job_ids) as u(job_id) where u.job_id > @low and u.job_id < @high)
        """;

    // "offset 0" keeps the order from being pushed down: the index of tags finds them all, and few are sorted quickly.
    private const string FromTag = """
        select few.id
            from (select j.id from millrace.job j where j.tag = any(@tags) offset 0) few
            where few.id > @low and few.id < @high
            order by few.id {order}
            limit @chunk
        """;

    private const string FromFailures = """
        select distinct few.id
            from (select a.job_id as id from millrace.attempt a where a.success = false and a.finished >= @failed_from and a.finished <= @failed_to offset 0) few
            where few.id > @low and few.id < @high
            order by few.id {order}
            limit @chunk
        """;

    private const string FromFinished = """
        select distinct a.job_id as id
            from millrace.attempt a
            where a.job_id > @low and a.job_id < @high and a.outcome in ('succeeded', 'discarded', 'cancelled', 'replaced', 'superseded')
            order by a.job_id {order}
            limit @chunk
        """;

    private const string FromSchedule = """
        select tick.id
            from unnest(@schedules) as named(name)
            cross join lateral (select j.id from millrace.job j where j.schedule = named.name and j.id > @low and j.id < @high order by j.id {order} limit @chunk) tick
            order by tick.id {order}
            limit @chunk
        """;

    private const string FromParent = """
        select j.id
            from millrace.job j
            where j.parent = @parent and j.id > @low and j.id < @high
            order by j.id {order}
            limit @chunk
        """;

    /// <summary>The ids of a source, with <c>@low</c>, <c>@high</c> and <c>@chunk</c>; <c>{order}</c> is to be filled in.</summary>
    public static string From(MatchSource source, StateSet states) => source switch
    {
        MatchSource.Places => FromPlaces.Replace("{places}", string.Join(" union all ", PlacesOf(states)), StringComparison.Ordinal),
        MatchSource.Tag => FromTag,
        MatchSource.Schedule => FromSchedule,
        MatchSource.Parent => FromParent,
        MatchSource.Failures => FromFailures,
        MatchSource.Finished => FromFinished,
        _ => FromAll,
    };

    private static IEnumerable<string> PlacesOf(StateSet states)
    {
        foreach (var (place, of) in new[] { ("ready", StateSet.Ready), ("scheduled", StateSet.Scheduled | StateSet.Retrying), ("waiting", StateSet.Waiting | StateSet.Quarantined) })
        {
            if ((states & of) != StateSet.None)
                yield return FromPlace.Replace("{place}", place, StringComparison.Ordinal);
        }

        if (states.HasFlag(StateSet.Running))
            yield return FromLeases;
    }
}
