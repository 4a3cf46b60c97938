using System.Globalization;
using Microsoft.Data.Sqlite;
using Millrace.Histories;

namespace Millrace.Tests.Simulated;

/// <summary>Looks at the tables themselves, past the store, and now and then does to them what a broken program would.</summary>
internal sealed class Observer : IDisposable
{
    private readonly SqliteConnection connection;

    public Observer(string file)
    {
        connection = new SqliteConnection($"Data Source={file};Pooling=false");
        connection.Open();
        Run("pragma synchronous = off; create table effect (job integer not null, run integer not null)");
    }

    /// <summary>Jobs that are not in exactly one place, rows of jobs that are none, and keys with two pending jobs.</summary>
    public IEnumerable<HistoryEvent> LookForContradictions(long at)
    {
        var keys = Jobs().ToDictionary(job => job.Id, job => job.Text);
        var places = Places().ToLookup(place => place.Id);
        var finished = LastEnds().Where(end => end.IsFinal).ToDictionary(end => end.Id, end => end.Run);
        foreach (var job in keys.Keys)
        {
            var here = places[job].ToArray();
            var isInOne = here.Length == 0 ? finished.ContainsKey(job) : here.Length == 1 && here[0].Run > finished.GetValueOrDefault(job);
            if (!isInOne)
                yield return new HistoryEvent(at, Happening.Astray, job, 0, here.Length == 0 ? "nowhere" : string.Join('+', here.Select(place => place.Name + place.Run)));
        }

        foreach (var orphan in places.Select(place => place.Key).Concat(LastEnds().Select(end => end.Id)).Where(job => !keys.ContainsKey(job)).Distinct())
            yield return new HistoryEvent(at, Happening.Astray, orphan, 0, "orphan");
        var pending = places.Where(place => place.Any(row => row.Name != "running") && keys.GetValueOrDefault(place.Key) is { Length: > 0 });
        foreach (var twice in pending.GroupBy(place => keys[place.Key]).Where(key => key.Count() > 1))
            yield return new HistoryEvent(at, Happening.KeyTwice, twice.Min(place => place.Key), 0, twice.Key);
    }

    /// <summary>How the jobs ended that have.</summary>
    public IEnumerable<(long Job, string Outcome)> Finished()
    {
        var open = Open().Select(job => job.Job).ToHashSet();
        return LastEnds().Where(end => end.IsFinal && !open.Contains(end.Id)).Select(end => (end.Id, end.Outcome));
    }

    /// <summary>Jobs that are not finished, and where they are.</summary>
    public List<(long Job, string Place)> Open() => [.. Places().Select(place => (place.Id, place.Name)).Order()];

    private List<(long Id, string Text)> Jobs() => Read("select id, coalesce(key, '') from millrace_job order by id");

    private IEnumerable<(long Id, int Run, string Name)> Places() => Read("""
        select id, run || ' ready' from millrace_ready
        union all
        select id, run || ' scheduled' from millrace_scheduled
        union all
        select id, run || ' ' || reason from millrace_waiting
        union all
        select job.value, run.value || ' running'
        from millrace_lease l
        join json_each(l.job_ids) job
        join json_each(l.runs) run on run.key = job.key
        where not exists (select 1 from millrace_attempt a where a.job_id = job.value and a.run = run.value)
        """).Select(Split);

    private IEnumerable<(long Id, int Run, string Outcome, bool IsFinal)> LastEnds() =>
        Read("select job_id, run || ' ' || outcome from millrace_attempt a where run = (select max(b.run) from millrace_attempt b where b.job_id = a.job_id) order by 1")
            .Select(Split).Select(end => (end.Id, end.Run, end.Name, OutcomeExtensions.ToOutcome(end.Name).IsFinal()));

    private static (long Id, int Run, string Name) Split((long Id, string Text) row) =>
        row.Text.IndexOf(' ', StringComparison.Ordinal) is var space ? (row.Id, int.Parse(row.Text.AsSpan(0, space), CultureInfo.InvariantCulture), row.Text[(space + 1)..]) : default;

    /// <summary>Everything that is stored of these jobs but leases, log and notes: what a stale end must not change.</summary>
    public string Image(IEnumerable<long> jobs)
    {
        var ids = string.Join(',', jobs);
        return string.Join('\n', Read($"""
            select job_id, 'attempt' || run || outcome || attempt || coalesce(node, '') || finished || coalesce(remove_at, '') from millrace_attempt where job_id in ({ids})
            union all
            select id, 'ready' || run || attempt || crashes || is_suspect || pass from millrace_ready where id in ({ids})
            union all
            select id, 'scheduled' || run || attempt || crashes || is_suspect || due from millrace_scheduled where id in ({ids})
            union all
            select id, 'waiting' || run || attempt || crashes || is_suspect || reason from millrace_waiting where id in ({ids})
            union all
            select job_id, 'key' || key || coalesce(until, '') from millrace_unique_key where job_id in ({ids})
            union all
            select job_id, 'wish' from millrace_cancel_request where job_id in ({ids})
            order by 1, 2
            """).Select(row => $"{row.Id} {row.Text}"));
    }

    public bool IsStored(long job) => Read($"select id, '' from millrace_job where id = {job}").Any();

    // ---- sabotage

    public void Drop(Guid lease) => Run($"delete from millrace_lease where id = '{lease:D}'");

    public void PutBackInLine(long job, int run, int attempt) => Run($"""
        insert into millrace_ready (queue, priority, pass, id, type, run, attempt)
        select queue, priority, due, id, type, {run}, {attempt} from millrace_job where id = {job}
        on conflict do nothing
        """);

    public void SetTickBack(string schedule, DateTimeOffset to) => Run($"update millrace_schedule set next_due = {to.ToUnixTimeMilliseconds() * 1000} where name = '{schedule}'");

    public void Dispose() => connection.Dispose();

    private void Run(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private List<(long Id, string Text)> Read(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<(long, string)>();
        while (reader.Read())
            rows.Add((reader.GetInt64(0), Convert.ToString(reader.GetValue(1), CultureInfo.InvariantCulture) ?? ""));
        return rows;
    }
}
