using Millrace.Cli.Commands;
using Millrace.Storage;

namespace Millrace.Cli.Live;

/// <summary>
/// What has changed about jobs that match a filter, from one look to the next. A look reads the jobs that were submitted, began, or ended since the one before: the newest 200 of each, so on a busy database it is a sample.
/// </summary>
internal sealed class JobTrail(IJobInspection inspection, JobFilter filter)
{
    private const int PageSize = 200;
    private const int Remembered = 20_000;

    // Jobs that began or ended within the last moments may be committed later than others that are seen already.
    private static readonly TimeSpan overlap = TimeSpan.FromSeconds(5);

    private readonly Dictionary<long, (int Run, string State)> seen = [];
    private DateTimeOffset since;

    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        since = await inspection.ReadClockAsync(cancellationToken).ConfigureAwait(false);
        foreach (var job in await ReadAsync(since - overlap, cancellationToken).ConfigureAwait(false))
            Remember(job);
    }

    /// <summary>Jobs whose state or run is another one than at the last look, in the order of the times of their changes.</summary>
    public async Task<IReadOnlyList<JobRow>> LookAsync(CancellationToken cancellationToken)
    {
        var now = await inspection.ReadClockAsync(cancellationToken).ConfigureAwait(false);
        var jobs = await ReadAsync(since - overlap, cancellationToken).ConfigureAwait(false);
        since = now;
        return [.. jobs.Where(Remember).OrderBy(MomentOf).ThenBy(job => job.Id)];
    }

    /// <summary>When the job came to where it is.</summary>
    public static DateTimeOffset MomentOf(JobRow job) => job.State switch
    {
        JobState.Running => job.Started ?? job.Due,
        JobState.Ready or JobState.Scheduled or JobState.Waiting => job.Finished ?? job.Created,
        _ => job.Finished ?? job.Created,
    };

    private bool Remember(JobRow job)
    {
        var now = (job.Run, Output.Words.State(job));
        if (seen.TryGetValue(job.Id, out var before) && before == now)
            return false;
        if (seen.Count > Remembered)
        {
            foreach (var old in seen.Keys.Order().Take(Remembered / 2).ToList())
                seen.Remove(old);
        }

        seen[job.Id] = now;
        return true;
    }

    private async Task<IEnumerable<JobRow>> ReadAsync(DateTimeOffset from, CancellationToken cancellationToken)
    {
        var jobs = new Dictionary<long, JobRow>();
        foreach (var field in (TimeField[])[TimeField.Created, TimeField.Started, TimeField.Finished])
        {
            var listing = new JobListing { Filter = Filters.And(filter, new TimeTerm(field, from, null)), Limit = PageSize };
            foreach (var job in (await inspection.ListAsync(listing, cancellationToken).ConfigureAwait(false)).Jobs)
                jobs[job.Id] = job;
        }

        return jobs.Values;
    }
}
