using Millrace.Storage;

namespace Millrace.Cli.Output;

/// <summary>What roll-ups are added up by.</summary>
internal enum StatGrouping
{
    Type,
    Queue,
    Time,
}

/// <summary>Ended attempts of one type, queue or bucket of time. Pure.</summary>
internal sealed class StatGroup(string name, DateTimeOffset at)
{
    public string Name => name;

    public DateTimeOffset At => at;

    public long Succeeded { get; private set; }

    /// <summary>Given up.</summary>
    public long Failed { get; private set; }

    /// <summary>Failed, and to be tried again.</summary>
    public long Retried { get; private set; }

    public long Cancelled { get; private set; }

    public long Interrupted { get; private set; }

    public long Other { get; private set; }

    public Histogram Wait { get; } = new();

    public Histogram Run { get; } = new();

    /// <summary>Failed attempts, retried or not, among all that ended by their own doing.</summary>
    public double FailedPercent => Succeeded + Failed + Retried is > 0 and var all ? 100.0 * (Failed + Retried) / all : 0;

    public static IReadOnlyList<StatGroup> Of(IReadOnlyList<StatRow> rows, StatGrouping grouping)
    {
        var groups = new Dictionary<string, StatGroup>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            var name = grouping switch { StatGrouping.Type => row.Type, StatGrouping.Queue => row.Queue, _ => Words.Iso(row.Bucket) };
            if (!groups.TryGetValue(name, out var group))
                groups[name] = group = new StatGroup(name, row.Bucket);
            group.Add(row);
        }

        return grouping == StatGrouping.Time
            ? [.. groups.Values.OrderBy(group => group.At)]
            : [.. groups.Values.OrderByDescending(group => group.Succeeded + group.Failed + group.Retried).ThenBy(group => group.Name, StringComparer.Ordinal)];
    }

    private void Add(StatRow row)
    {
        switch (row.Outcome)
        {
            case Outcome.Succeeded:
                Succeeded += row.Count;
                break;
            case Outcome.Discarded:
                Failed += row.Count;
                break;
            case Outcome.Failed:
                Retried += row.Count;
                break;
            case Outcome.Cancelled:
                Cancelled += row.Count;
                break;
            case Outcome.Interrupted:
                Interrupted += row.Count;
                break;
            default:
                Other += row.Count;
                break;
        }

        Wait.Add(row.Wait);
        Run.Add(row.Run);
    }
}
