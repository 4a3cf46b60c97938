using System.Text.Json.Nodes;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// What people do to jobs, one or many. Set by set: each statement takes what it finds of all the jobs, in the direction in which jobs move, and round again for those that were seen nowhere.
// The jobs' rows are locked first, in the order of their ids: two people take turns, and prune looks elsewhere. Not "for update", which would wait for transactions of users in which a
// job is about to complete.
internal sealed partial class PostgresStore
{
    private const string FindBefore = """
        select before
        from millrace.operation_job
        where operation = @operation and job_id = @id
        """;

    private const string FindStanding = $"""
        with candidate as materialized (
            select @id::bigint as id
        ),
        {Standing.Running}
        select v.state, v.run, v.priority
        from candidate c
        {Standing.Joins}
        """;

    public Task<ChangeAnswer> ChangeAsync(long jobId, JobChange change, Author author, string? expectedVersion, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(author);
        Check(change);
        return AgainAsync($"{JobChanges.WordOf(change.Kind)} job {jobId}", session => ChangeAsync(session, jobId, change, author, expectedVersion, cancellationToken), cancellationToken);
    }

    public Task<BatchAnswer> ApplyAsync(long operation, JobChange change, IReadOnlyList<long> jobIds, CancellationToken cancellationToken)
    {
        Check(change);
        ArgumentNullException.ThrowIfNull(jobIds);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(jobIds.Count, 1000, nameof(jobIds));
        return AgainAsync($"{JobChanges.WordOf(change.Kind)} jobs", async session =>
        {
            var connection = session.Connection;
            await session.BeginAsync(cancellationToken).ConfigureAwait(false);
            var authors = await ReadAsync(
                connection, LockOperation, [Long("id", operation)], static reader => new Author(reader.GetString(1), reader.GetString(2), TextAt(reader, 3)), cancellationToken).ConfigureAwait(false);
            if (authors.Count == 0)
            {
                await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
                return new BatchAnswer(0, jobIds.Count, []);
            }

            var work = new Changing(connection, operation, change, authors[0], jobIds);
            var all = work.Rest.Count;
            // An earlier try of this batch, whose answer was lost, has changed these.
            var before = await ReadAsync(
                connection, Takes.FindChanged, [Long("operation", operation), work.Ids], static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false);
            work.Rest.ExceptWith(before);
            if (work.Rest.Count > 0)
                await ChangeAsync(work, cancellationToken).ConfigureAwait(false);
            var (done, skipped) = (work.Done.Count + work.Asked.Count, all - before.Count - work.Done.Count - work.Asked.Count);
            await ExecuteAsync(connection, TouchOperation, [Now(), Long("id", operation), Long("done", done), Long("skipped", skipped)], cancellationToken).ConfigureAwait(false);
            await session.CommitAsync(cancellationToken).ConfigureAwait(false);
            return new BatchAnswer(before.Count + done, skipped, [.. work.Queues]);
        }, cancellationToken);
    }

    // A deadlock, or a lock that somebody held for too long, has changed nothing: not worth the end of a change of thousands.
    private async Task<T> AgainAsync<T>(string task, Func<Session, Task<T>> operation, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await WorkAsync(task, operation, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException exception) when (exception.Fault == StoreFault.Conflict && tries < 5)
            {
                // Once more, from the start.
            }
        }
    }

    private async Task<ChangeAnswer> ChangeAsync(Session session, long id, JobChange change, Author author, string? expectedVersion, CancellationToken cancellationToken)
    {
        var connection = session.Connection;
        await session.BeginAsync(cancellationToken).ConfigureAwait(false);
        var operation = await RecordAsync(connection, change.Kind, author, $"job {id}", id, 1, null, cancellationToken).ConfigureAwait(false);
        var work = new Changing(connection, operation, change, author, [id]);
        await ChangeAsync(work, cancellationToken).ConfigureAwait(false);
        var isChanged = work.Done.Count + work.Asked.Count > 0;
        var before = isChanged
            ? (await ReadAsync(connection, FindBefore, [Long("operation", operation), Long("id", id)], static reader => reader.GetString(0), cancellationToken).ConfigureAwait(false))[0]
            : null;
        // What it was is known for certain only now, from the row that was taken.
        if (before is null || (expectedVersion is not null && VersionOf(before) != expectedVersion))
        {
            await session.RollBackAsync(cancellationToken).ConfigureAwait(false);
            var stands = await StandingAsync(connection, id, cancellationToken).ConfigureAwait(false);
            var result = stands is null ? ChangeResult.Unknown
                : expectedVersion is not null && stands.Version != expectedVersion ? ChangeResult.Moved
                : work.KeyIsTaken.Count > 0 ? ChangeResult.KeyIsTaken
                : before is null ? ChangeResult.Skipped
                : ChangeResult.Moved;
            return new ChangeAnswer(result, stands?.State, stands?.Version, null);
        }

        var after = await StandingAsync(connection, id, cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, CountOperation, [Long("id", operation), Long("done", 1), Long("skipped", 0)], cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, TellOperation, [Long("id", operation), Text("before", before), Text("after", after?.Json)], cancellationToken).ConfigureAwait(false);
        await EndAsync(connection, operation, change.Kind, null, cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return new ChangeAnswer(work.Asked.Count > 0 ? ChangeResult.Asked : ChangeResult.Done, after?.State, after?.Version, operation);
    }

    private sealed record Stand(StateSet Finely, int Run, short Priority)
    {
        public JobState State => Matching.StateOf(JobChanges.WordOf(Finely));

        public string Version => JobChanges.VersionOf(Finely, Run, Priority);

        public string Json => new JsonObject { ["state"] = JobChanges.WordOf(Finely), ["run"] = Run, ["priority"] = Priority }.ToJsonString();
    }

    private async Task<Stand?> StandingAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken) => (await ReadAsync(
        connection, FindStanding, [Long("id", id)],
        static reader => new Stand(JobChanges.StateOf(reader.GetString(0)), reader.GetInt32(1), reader.GetInt16(2)), cancellationToken).ConfigureAwait(false)).FirstOrDefault();

    // From what was noted of a job before it was changed.
    private static string VersionOf(string before)
    {
        var was = JsonNode.Parse(before)?.AsObject() ?? [];
        var (place, run, attempt, priority) = ((string?)was["place"], (int?)was["run"] ?? 0, (int?)was["attempt"] ?? 1, (short?)was["priority"] ?? 0);
        var state = place switch
        {
            "ready" => StateSet.Ready,
            "scheduled" => JobChanges.StateOf(JobState.Scheduled, null, attempt),
            "waiting" => JobChanges.StateOf(JobState.Waiting, (string?)was["reason"], attempt),
            "running" => StateSet.Running,
            _ => (string?)was["outcome"] switch { "succeeded" => StateSet.Succeeded, "discarded" => StateSet.Discarded, _ => StateSet.Cancelled },
        };
        return JobChanges.VersionOf(state, run, priority);
    }

    private static void Check(JobChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (JobChanges.Allowed(change.Kind) == StateSet.None)
            throw new ArgumentException($"{change.Kind} is not a change of jobs. Those are Retry, Cancel, Delete, RunNow and Reprioritise.", nameof(change));
        if (change.Kind == OperationKind.Reprioritise && change.Priority is null)
            throw new ArgumentException("JobChange.Priority must be set for Reprioritise; it is null.", nameof(change));
    }

    private static string? AfterOf(JobChange change) => change.Priority is { } priority ? new JsonObject { ["priority"] = priority }.ToJsonString() : null;

    private static string PauseJson(Pause pause)
    {
        var json = new JsonObject();
        if (pause.Since != default)
            json["since"] = pause.Since.UtcDateTime.ToString("O", System.Globalization.CultureInfo.InvariantCulture);
        if (pause.By is not null)
            json["by"] = pause.By;
        if (pause.Reason is not null)
            json["reason"] = pause.Reason;
        if (pause.Until is { } until)
            json["until"] = until.UtcDateTime.ToString("O", System.Globalization.CultureInfo.InvariantCulture);
        json["isPaused"] = true;
        return json.ToJsonString();
    }

    // How often jobs that move are looked for. In a batch the rest counts as skipped.
    private const int Rounds = 20;

    /// <summary>What a change does to the jobs it was given, as far as it has come.</summary>
    private sealed class Changing(NpgsqlConnection connection, long operation, JobChange change, Author author, IEnumerable<long> ids)
    {
        public NpgsqlConnection Connection => connection;

        public long Operation => operation;

        public JobChange Change => change;

        public Author Author => author;

        /// <summary>Those about which nothing is decided yet.</summary>
        public HashSet<long> Rest { get; } = [.. ids];

        public HashSet<long> Done { get; } = [];

        public HashSet<long> Asked { get; } = [];

        public HashSet<long> KeyIsTaken { get; } = [];

        /// <summary>Queues that have something to claim now.</summary>
        public HashSet<string> Queues { get; } = new(StringComparer.Ordinal);

        /// <summary>Those that held their key before.</summary>
        public long[] Held { get; set; } = [];

        public NpgsqlParameter Ids => Longs("ids", [.. Rest.Order()]);
    }

    private async Task ChangeAsync(Changing work, CancellationToken cancellationToken)
    {
        var kind = work.Change.Kind;
        var locked = await ReadAsync(
            work.Connection, Takes.LockJobs, [work.Ids], static reader => (Id: reader.GetInt64(0), HasKey: !reader.IsDBNull(1)), cancellationToken).ConfigureAwait(false);
        work.Rest.IntersectWith(locked.Select(static job => job.Id));
        // What is deleted can only be taken back.
        work.Rest.ExceptWith(await IdsAsync(work, Takes.FindDeleted, cancellationToken).ConfigureAwait(false));
        if (kind == OperationKind.Retry)
            await PrepareRetryAsync(work, locked.Any(static job => job.HasKey), cancellationToken).ConfigureAwait(false);
        var texts = kind switch
        {
            OperationKind.Cancel or OperationKind.Delete => Takes.EndPlaces,
            OperationKind.Retry => Takes.LineUpPlaces,
            OperationKind.RunNow => Takes.LineUpPlaces[1..],
            _ => Takes.ReprioritisePlaces,
        };
        for (var round = 0; round < Rounds && work.Rest.Count > 0; round++)
        {
            foreach (var text in texts)
                await TakeAsync(work, text, cancellationToken).ConfigureAwait(false);
            if (kind is OperationKind.Retry or OperationKind.Delete)
                await TakeAsync(work, kind == OperationKind.Retry ? Takes.RetryFinished : Takes.DeleteFinished, cancellationToken).ConfigureAwait(false);
            if (kind == OperationKind.Cancel)
                await AskAsync(work, cancellationToken).ConfigureAwait(false);
            else if (kind != OperationKind.Retry)
                work.Rest.ExceptWith(await IdsAsync(work, Takes.FindRunning, cancellationToken).ConfigureAwait(false));
            // Only an end and a retry go for every place: of the others, what is in another place stays there.
            if (kind is OperationKind.RunNow or OperationKind.Reprioritise)
                break;
            work.Rest.ExceptWith(await IdsAsync(work, Takes.FindSettled, cancellationToken).ConfigureAwait(false));
        }

        if (kind is OperationKind.Cancel or OperationKind.Delete && work.Done.Count > 0)
            await ExecuteAsync(work.Connection, Takes.FreeKeysOfJobs, [Now(), Longs("ids", [.. work.Done])], cancellationToken).ConfigureAwait(false);
        if (work.Queues.Count > 0)
            await RingInsideAsync(work.Connection, [.. work.Queues], cancellationToken).ConfigureAwait(false);
    }

    private async Task TakeAsync(Changing work, string text, CancellationToken cancellationToken)
    {
        if (work.Rest.Count == 0)
            return;
        var (author, isDelete) = (work.Author, work.Change.Kind == OperationKind.Delete);
        NpgsqlParameter[] values =
        [
            Now(), work.Ids, Long("operation", work.Operation), Text("error", EndedBy(isDelete ? "Deleted" : "Cancelled", author)), Bool("is_delete", isDelete),
            Double("window", IJobOperations.UndoWindow.TotalSeconds), Bool("is_retry", work.Change.Kind == OperationKind.Retry), Short("priority", work.Change.Priority), Longs("held", work.Held),
        ];
        foreach (var (id, queue) in await ReadAsync(work.Connection, text, values, static reader => (reader.GetInt64(0), reader.GetString(1)), cancellationToken).ConfigureAwait(false))
        {
            work.Done.Add(id);
            work.Rest.Remove(id);
            if (work.Change.Kind is OperationKind.Retry or OperationKind.RunNow)
                work.Queues.Add(queue);
        }
    }

    private static string EndedBy(string word, Author author) => $"{word} by {Storable(author.Name)}" + (author.Reason is null ? "." : $": {Storable(author.Reason)}");

    private async Task<List<long>> IdsAsync(Changing work, string text, CancellationToken cancellationToken) => work.Rest.Count == 0
        ? []
        : await ReadAsync(work.Connection, text, [work.Ids], static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false);

    // Lease, then key, then place (rule 19): the places come next.
    private async Task PrepareRetryAsync(Changing work, bool haveKeys, CancellationToken cancellationToken)
    {
        await ExecuteAsync(work.Connection, Takes.LockLeasesOfJobs, [work.Ids], cancellationToken).ConfigureAwait(false);
        work.Rest.ExceptWith(await IdsAsync(work, Takes.FindRunning, cancellationToken).ConfigureAwait(false));
        work.Rest.ExceptWith(await IdsAsync(work, Takes.FindReady, cancellationToken).ConfigureAwait(false));
        if (!haveKeys || work.Rest.Count == 0)
            return;
        work.Held = [.. await IdsAsync(work, Takes.FindHeld, cancellationToken).ConfigureAwait(false)];
        var mine = (await ReadAsync(work.Connection, Takes.RetakeKeys, [Now(), work.Ids], static reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false)).ToHashSet();
        foreach (var id in await IdsAsync(work, Takes.FindKeyed, cancellationToken).ConfigureAwait(false))
        {
            if (!mine.Contains(id))
                work.KeyIsTaken.Add(id);
        }

        work.Rest.ExceptWith(work.KeyIsTaken);
    }

    private async Task AskAsync(Changing work, CancellationToken cancellationToken)
    {
        if (work.Rest.Count == 0)
            return;
        // The lock orders us against the ends of the runs, which are looked at again afterwards.
        var locked = await ReadAsync(work.Connection, Takes.LockLeasesOfJobs, [work.Ids], static reader => reader.GetGuid(0), cancellationToken).ConfigureAwait(false);
        NpgsqlParameter[] values = [Now(), work.Ids, Uuids("leases", [.. locked]), Long("operation", work.Operation), Text("by", Storable(work.Author.Name)), Text("reason", Storable(work.Author.Reason))];
        foreach (var (id, isNew) in await ReadAsync(work.Connection, Takes.AskRunning, values, static reader => (reader.GetInt64(0), reader.GetBoolean(1)), cancellationToken).ConfigureAwait(false))
        {
            work.Rest.Remove(id);
            if (isNew)
                work.Asked.Add(id);
        }

        if (work.Asked.Count > 0 && HasBell)
            await ExecuteAsync(work.Connection, RingForCancel, [Text("bell", bell)], cancellationToken).ConfigureAwait(false);
    }
}
