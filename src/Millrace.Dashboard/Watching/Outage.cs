namespace Millrace.Dashboard.Watching;

/// <summary>Since when the database has not answered.</summary>
internal sealed class Outage(TimeProvider time)
{
    private readonly Lock gate = new();
    private DateTimeOffset? since;

    /// <summary>It did not answer. Gives when that began.</summary>
    public DateTimeOffset Began()
    {
        lock (gate)
            return since ??= time.GetUtcNow();
    }

    /// <summary>It answers.</summary>
    public void Over()
    {
        lock (gate)
            since = null;
    }
}
