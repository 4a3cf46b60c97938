using Millrace.Dashboard.Watching;
using Millrace.Storage;

namespace Millrace.Dashboard.Answering;

/// <summary>What a failure of the database is for who asked.</summary>
internal static class StoreProblem
{
    public static Problem Of(StoreException exception, Outage outage) => exception.Fault switch
    {
        StoreFault.Unavailable => new Problem(503, "database_away", "The database does not answer", exception.Message) { Since = outage.Began() },
        StoreFault.Unknown => new Problem(503, "database_unknown", "It is not known whether that was done", $"{exception.Message} Look before you repeat it."),
        StoreFault.Conflict => new Problem(503, "database_busy", "The database was busy", $"{exception.Message} Nothing was changed; try again."),
        StoreFault.ReadOnly => new Problem(503, "database_read_only", "The database refuses to write", exception.Message),
        _ => new Problem(500, "database_rejected", "The database rejected that", exception.Message),
    };
}
