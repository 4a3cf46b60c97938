namespace Millrace.Postgres;

// A lease lists the runs of one claimed batch. A run goes on when a lease lists it and it has no attempt (rule 9).
internal sealed partial class PostgresStore
{
    // First, in a statement of its own: what follows then sees cancels and rescues that committed meanwhile.
    private const string LockLeases = """
        select l.id
        from millrace.lease l
        where l.id = any(@leases) and l.node = @node
        order by l.id
        for update
        """;

    // Never a lease that still lists a run without an end: the node may be wrong about what it thinks has ended.
    private const string DeleteLeases = """
        delete from millrace.lease l
        where l.id = any(@empty)
            and l.node = @node
            and not exists (
                select
                from unnest(l.job_ids, l.runs) as u(job_id, run)
                where not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
        """;

    private const string DeleteEndedLeases = """
        delete from millrace.lease
        where id = any(@ended) and node = @node
        """;

    private const string ShrinkLeases = """
        update millrace.lease l
        set (job_ids, runs, attempts, crashes, passes) = (
            select coalesce(array_agg(u.job_id order by u.place), '{}'), coalesce(array_agg(u.run order by u.place), '{}'),
                   coalesce(array_agg(u.attempt order by u.place), '{}'), coalesce(array_agg(u.crashes order by u.place), '{}'),
                   coalesce(array_agg(u.pass order by u.place), '{}')
            from unnest(l.job_ids, l.runs, l.attempts, l.crashes, l.passes) with ordinality as u(job_id, run, attempt, crashes, pass, place)
            where not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run))
        where l.id = any(@shrink) and l.node = @node
        """;

    private const string LockLease = """
        select is_suspect
        from millrace.lease
        where id = @lease
        for update
        """;

    // The lock orders us against the end of the run. Looked at again afterwards, in a statement of its own, which may see a lease that is younger than this one's view.
    private const string LockLeaseOfJob = """
        select l.id
        from millrace.lease l
        where l.job_ids @> array[@id::bigint]
        order by l.id
        for update
        """;

    private const string FindRunning = """
        select l.id
        from millrace.lease l
        cross join lateral unnest(l.job_ids, l.runs) as u(job_id, run)
        where l.job_ids @> array[@id::bigint]
            and u.job_id = @id
            and not exists (select from millrace.attempt a where a.job_id = u.job_id and a.run = u.run)
        """;
}
