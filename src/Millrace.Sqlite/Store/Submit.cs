using System.Data.Common;
using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    public Task<IReadOnlyList<SubmitAnswer>> SubmitAsync(IReadOnlyList<NewJob> jobs, DbTransaction? transaction, CancellationToken cancellationToken) =>
        WriteAsync<IReadOnlyList<SubmitAnswer>>(transaction, session => Submit(session, jobs, Now()), cancellationToken);

    private static SubmitAnswer[] Submit(Session session, IReadOnlyList<NewJob> jobs, long now)
    {
        var answers = new SubmitAnswer[jobs.Count];
        var keyed = new List<int>();
        for (var i = 0; i < jobs.Count; i++)
        {
            if (jobs[i].Key is null)
                answers[i] = Store(session, jobs[i], now);
            else
                keyed.Add(i);
        }

        // OrderBy keeps jobs of one key in the order they were given.
        foreach (var i in keyed.OrderBy(i => jobs[i].Key?.Name, StringComparer.Ordinal))
            if (jobs[i].Key is { } key)
                answers[i] = SubmitKeyed(session, jobs[i], key, now);
        return answers;
    }

    /// <summary>Submits jobs that the store itself is asked to make (the next of a chain, a tick). An id that is taken is replaced: nobody is there to try again.</summary>
    private static void SubmitSurely(Session session, IReadOnlyList<NewJob> jobs, long now)
    {
        if (jobs.Count == 0)
            return;
        var answers = Submit(session, jobs, now);
        for (var i = 0; i < jobs.Count; i++)
            for (var answer = answers[i]; answer.State == SubmitState.IdTaken;)
                answer = Submit(session, [jobs[i] with { Id = TakeIds(session, 1) }], now)[0];
    }

    private const string InsertJobSql = """
        insert into millrace_job (
            id, nonce, type, tag, user_id, queue, priority, data, due, created, policy, headers, trace, parent, schedule, key)
        values (
            @id, @nonce, @type, @tag, @user_id, @queue, @priority, @data, @due, @created, @policy, @headers, @trace, @parent, @schedule, @key)
        on conflict (id) do nothing
        """;

    private static SubmitAnswer Store(Session session, NewJob job, long now)
    {
        var due = DueOf(job, now);
        var isNew = session.Execute(InsertJobSql,
            ("@id", job.Id), ("@nonce", job.Nonce), ("@type", job.Type), ("@tag", job.Tag), ("@user_id", job.UserId), ("@queue", job.Queue),
            ("@priority", (long)job.Priority), ("@data", job.Data), ("@due", due), ("@created", now), ("@policy", job.Policy), ("@headers", job.Headers),
            ("@trace", job.Trace), ("@parent", job.Parent), ("@schedule", job.Schedule), ("@key", job.Key?.Name)) == 1;
        if (!isNew)
            return Repeated(session, job) ?? new SubmitAnswer(job.Id, SubmitState.IdTaken);
        Put(session, new Pending(job.Id, job.Queue, job.Priority, job.Type, Run: 1, Attempt: 1, Crashes: 0, IsSuspect: false) { Due = due }, now);
        return new SubmitAnswer(job.Id, SubmitState.Created);
    }

    private const string NonceSql = "select nonce from millrace_job where id = @id";

    /// <summary>For an id that is stored: this very submission (rule 20), or somebody else's. Null when the id is free.</summary>
    private static SubmitAnswer? Repeated(Session session, NewJob job) =>
        session.Number(NonceSql, ("@id", job.Id)) is { } nonce
            ? new SubmitAnswer(job.Id, nonce == job.Nonce ? SubmitState.Created : SubmitState.IdTaken)
            : null;

    private static long DueOf(NewJob job, long now) =>
        job.Due?.ToMicros() ?? (job.Delay > TimeSpan.Zero ? now + job.Delay.ToMicros() : now);

    private const string TakeKeySql = """
        insert into millrace_unique_key (key, job_id, scope, until)
        values (@key, @id, @scope, @until)
        on conflict (key) do update set job_id = @id, scope = @scope, until = @until
        """;

    private static SubmitAnswer SubmitKeyed(Session session, NewJob job, JobKey key, long now)
    {
        if (Repeated(session, job) is { } repeated)
            return repeated;
        var state = SubmitState.Created;
        switch (LookAtKey(session, key.Name, key.Until.Scope, now))
        {
            case { Pending: { } pending } when key.OnConflict == WhenPending.Replace:
                EndPending(session, pending, Outcome.Replaced, $"Replaced by job {job.Id}.", now);
                state = SubmitState.Replaced;
                break;
            case { Pending: { } pending } when key.OnConflict == WhenPending.Postpone:
                Postpone(session, pending, DueOf(job, now), now);
                return new SubmitAnswer(pending.Id, SubmitState.Postponed);
            case { IsHeld: true } holder:
                return new SubmitAnswer(holder.JobId, SubmitState.Kept);
        }

        long? until = key.Until.Scope == UniqueScope.Window ? now + key.Until.Window.ToMicros() : null;
        session.Execute(TakeKeySql, ("@key", key.Name), ("@id", job.Id), ("@scope", (long)key.Until.Scope), ("@until", until));
        return new SubmitAnswer(Store(session, job, now).Id, state);
    }

    private const string HolderSql = "select job_id, scope, until from millrace_unique_key where key = @key";

    /// <summary>Who holds a key, and whether it counts for a newcomer: while the holder is pending; while it runs, if either of the two wants that; within its window.</summary>
    private static Holder? LookAtKey(Session session, string key, UniqueScope newcomer, long now)
    {
        var rows = session.Query(HolderSql, row => (JobId: row.GetInt64(0), Scope: (UniqueScope)row.GetInt32(1), Until: row.MaybeNumber(2)), ("@key", key));
        if (rows.Count == 0)
            return null;
        var (jobId, scope, until) = rows[0];
        var pending = FindPending(session, jobId);
        var isHeld = pending is not null
            || until > now
            || ((scope != UniqueScope.Pending || newcomer != UniqueScope.Pending) && FindRunning(session, jobId) is not null);
        return new Holder(jobId, pending, isHeld);
    }

    private sealed record Holder(long JobId, Pending? Pending, bool IsHeld);

    private const string PostponeWaitingSql = "update millrace_waiting set due = @due where id = @id";

    private static void Postpone(Session session, Pending job, long due, long now)
    {
        // It still waits for a node that knows its type, or for a person; and after that for its time.
        if (job.Reason is not null)
        {
            session.Execute(PostponeWaitingSql, ("@due", due), ("@id", job.Id));
            return;
        }

        LeavePlace(session, job.Id);
        Put(session, job with { Due = due }, now);
    }
}
