using System.Data.Common;
using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    public Task<IReadOnlyList<SubmitAnswer>> SubmitAsync(IReadOnlyList<NewJob> jobs, DbTransaction? transaction, CancellationToken cancellationToken) =>
        WriteAsync<IReadOnlyList<SubmitAnswer>>(transaction, session => Submit(session, jobs, Now()), cancellationToken);

    public Task<IReadOnlyList<SubmitAnswer>> SubmitAndClaimAsync(IReadOnlyList<NewJob> jobs, BirthClaim claim, CancellationToken cancellationToken) =>
        WriteAsync<IReadOnlyList<SubmitAnswer>>(session => Submit(session, jobs, claim, Now()), cancellationToken);

    // What the submitting node can run at once goes into a lease of that node, if it could also have claimed it.
    private SubmitAnswer[] Submit(Session session, IReadOnlyList<NewJob> jobs, BirthClaim claim, long now)
    {
        var isAllowed = NodeLives(session, claim.Node) && locks.IsAlive(claim.Node) && !session.Any(IsPausedSql, ("@name", claim.Queue), ("@now", now)) && FindLease(session, claim.Lease) is null;
        var born = new List<long>();
        var answers = new SubmitAnswer[jobs.Count];
        for (var i = 0; i < answers.Length; i++)
        {
            var isMine = isAllowed && claim.Jobs.Contains(jobs[i].Id) && DueOf(jobs[i], now) <= now;
            if (!isMine || !InsertJob(session, jobs[i], now))
            {
                answers[i] = Store(session, jobs[i], now);
                continue;
            }

            born.Add(jobs[i].Id);
            answers[i] = new SubmitAnswer(jobs[i].Id, SubmitState.Created) { Claimed = now.ToTime() };
        }

        if (born.Count > 0)
            InsertLease(session, new Lease
            {
                Id = claim.Lease, Node = claim.Node, ClaimedAt = now, IsAlone = false, IsSuspect = false, JobIds = [.. born], Runs = [.. born.Select(static _ => 1)],
                Attempts = [.. born.Select(static _ => 1)], Crashes = [.. born.Select(static _ => 0)], Passes = [.. born.Select(_ => now)],
            });
        return answers;
    }

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
        if (!InsertJob(session, job, now))
            return Repeated(session, job) ?? new SubmitAnswer(job.Id, SubmitState.IdTaken);
        Put(session, new Pending(job.Id, job.Queue, job.Priority, job.Type, Run: 1, Attempt: 1, Crashes: 0, IsSuspect: false) { Due = DueOf(job, now) }, now);
        return new SubmitAnswer(job.Id, SubmitState.Created);
    }

    /// <summary>False when the id is stored already.</summary>
    private static bool InsertJob(Session session, NewJob job, long now) => session.Execute(InsertJobSql,
        ("@id", job.Id), ("@nonce", job.Nonce), ("@type", job.Type), ("@tag", job.Tag), ("@user_id", job.UserId), ("@queue", job.Queue),
        ("@priority", (long)job.Priority), ("@data", job.Data), ("@due", DueOf(job, now)), ("@created", now), ("@policy", job.Policy), ("@headers", job.Headers),
        ("@trace", job.Trace), ("@parent", job.Parent), ("@schedule", job.Schedule), ("@key", job.Key?.Name)) == 1;

    private const string NonceSql = "select nonce from millrace_job where id = @id";

    /// <summary>For an id that is stored: this very submission (rule 20), or somebody else's. Null when the id is free.</summary>
    private static SubmitAnswer? Repeated(Session session, NewJob job) =>
        session.Number(NonceSql, ("@id", job.Id)) is { } nonce
            ? new SubmitAnswer(job.Id, nonce == job.Nonce ? SubmitState.Created : SubmitState.IdTaken)
            : null;

    private static long DueOf(NewJob job, long now) =>
        job.Due?.ToMicros() ?? (job.Delay > TimeSpan.Zero ? now + job.Delay.ToMicros() : now);
}
