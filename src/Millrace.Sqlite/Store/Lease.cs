namespace Millrace.Sqlite;

/// <summary>A row of millrace_lease with its lists unpacked.</summary>
internal sealed class Lease
{
    private Dictionary<(long JobId, int Run), int>? places;

    public required Guid Id { get; init; }

    public required Guid Node { get; init; }

    public required long ClaimedAt { get; init; }

    public required bool IsAlone { get; init; }

    public required bool IsSuspect { get; init; }

    public required long[] JobIds { get; init; }

    public required int[] Runs { get; init; }

    public required int[] Attempts { get; init; }

    public required int[] Crashes { get; init; }

    public required long[] Passes { get; init; }

    /// <summary>Where the run stands in the lists; -1 when the lease does not list it.</summary>
    public int IndexOf(long jobId, int run)
    {
        if (places is null)
        {
            places = new Dictionary<(long, int), int>(JobIds.Length);
            for (var i = 0; i < JobIds.Length; i++)
                places[(JobIds[i], Runs[i])] = i;
        }

        return places.TryGetValue((jobId, run), out var index) ? index : -1;
    }
}
