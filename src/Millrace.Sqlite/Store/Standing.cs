namespace Millrace.Sqlite;

/// <summary>
/// Where jobs stand, as parts of statements: the tables that may have a row of a job <c>j</c>, and what they say together (PROTOCOL, rule 21). A job in a place is pending;
/// otherwise one that a lease lists and that has not ended runs; otherwise it finished as its last run did.
/// </summary>
internal static class Standing
{
    /// <summary>Runs that go on. A common table, so that the lists are unpacked once for a statement.</summary>
    public const string Leased = """
        leased (id, run, attempt, claimed_at, node) as materialized (
            select job.value, json_extract(l.runs, '$[' || job.key || ']'), json_extract(l.attempts, '$[' || job.key || ']'), l.claimed_at, l.node
            from millrace_lease l
            join json_each(l.job_ids) job
            where not exists (
                select 1
                from millrace_attempt ended
                where ended.job_id = job.value
                  and ended.run = json_extract(l.runs, '$[' || job.key || ']'))
        )
        """;

    /// <summary>Whether the job runs. Not by a join: SQLite would go through all of <c>leased</c> for each job, and for this it makes an index.</summary>
    public const string IsRunning = "j.id in (select running.id from leased running)";

    public const string JoinReady = "left join millrace_ready r on r.id = j.id";
    public const string JoinScheduled = "left join millrace_scheduled s on s.id = j.id";
    public const string JoinWaiting = "left join millrace_waiting w on w.id = j.id";

    public const string JoinLast = """
        left join millrace_attempt a on a.job_id = j.id and a.run = (select max(b.run) from millrace_attempt b where b.job_id = j.id)
        """;

    public const string JoinNode = $"left join millrace_node n on n.id = {Node}";

    // The last run first: what is asked of it is known before the places are looked into.
    public const string JoinAll = $"""
        {JoinLast}
        {JoinReady}
        {JoinScheduled}
        {JoinWaiting}
        """;

    /// <summary>The number of the state in <see cref="Storage.StateSet"/>.</summary>
    public const string State = $"""
        case
            when r.id is not null then 1
            when s.id is not null then iif(s.attempt > 1, 4, 2)
            when w.id is not null then iif(w.reason = 'quarantine', 16, 8)
            when {IsRunning} then 32
            when a.outcome = 'succeeded' then 64
            when a.outcome in ('cancelled', 'replaced', 'superseded') then 256
            else 128
        end
        """;

    public const string Priority = "coalesce(r.priority, s.priority, w.priority, j.priority)";
    public const string Run = $"coalesce(r.run, s.run, w.run, iif({IsRunning}, (select l.run from leased l where l.id = j.id), a.run), 0)";
    public const string Attempt = $"coalesce(r.attempt, s.attempt, w.attempt, iif({IsRunning}, (select l.attempt from leased l where l.id = j.id), a.attempt), 0)";
    public const string Due = "coalesce(s.due, w.due, j.due)";
    public const string Started = $"iif({IsRunning}, (select l.claimed_at from leased l where l.id = j.id), a.started)";
    public const string Finished = $"iif({IsRunning}, null, a.finished)";
    public const string Node = $"iif({IsRunning}, (select l.node from leased l where l.id = j.id), a.node)";
}
