using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Dashboard.Changing;

/// <summary>A change of jobs that a person chose one by one: at most as many as a page has.</summary>
internal static class ChosenChange
{
    /// <summary>What it would touch: the same answer that a filter gets.</summary>
    public static async Task<MatchCount> CountAsync(IJobInspection inspection, IReadOnlyList<long> ids, OperationKind kind, CancellationToken cancellationToken)
    {
        var allowed = JobChanges.Allowed(kind);
        var touched = new List<JobRow>();
        foreach (var row in await inspection.ReadRowsAsync(ids, cancellationToken).ConfigureAwait(false))
        {
            if (row.DeletedBy is null && (allowed & JobChanges.StateOf(row.State, row.WaitsFor, row.Attempt)) != 0)
                touched.Add(row);
        }

        return new MatchCount(
            touched.Count,
            ids.Count - touched.Count,
            touched.GroupBy(row => JobChanges.StateOf(row.State, row.WaitsFor, row.Attempt)).ToDictionary(group => group.Key, group => group.LongCount()),
            Most(touched, row => row.Type),
            Most(touched, row => row.Queue),
            [.. touched.Take(5)],
            touched.Count == 0 ? 0 : touched.Max(row => row.Id),
            IsCapped: false);
    }

    public static async Task<OperationRecord> RunAsync(
        IJobStore store, long operation, IReadOnlyList<long> ids, JobChange change, IProgress<(long Done, long Skipped)> progress, CancellationToken cancellationToken)
    {
        string? error = null;
        try
        {
            var answer = await store.Operations.ApplyAsync(operation, change, ids, cancellationToken).ConfigureAwait(false);
            progress.Report((answer.Done, answer.Skipped));
            if (answer.Queues.Count > 0)
                await store.RingAsync(answer.Queues, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            error = "It was stopped.";
        }
        catch (StoreException exception)
        {
            error = exception.Message;
        }

        return await store.Operations.EndAsync(operation, error, CancellationToken.None).ConfigureAwait(false);
    }

    private static Dictionary<string, long> Most(IEnumerable<JobRow> rows, Func<JobRow, string> of) =>
        rows.GroupBy(of).OrderByDescending(group => group.Count()).Take(10).ToDictionary(group => group.Key, group => group.LongCount());
}
