using System.Text.RegularExpressions;
using Millrace.Storage;

namespace Millrace.Postgres;

/// <summary>How Millrace uses a PostgreSQL database. Read once, when the store is made.</summary>
public sealed partial class PostgresOptions
{
    /// <summary>The schema of Millrace's tables. Made when it is missing; two instances in one database need two. Lower-case letters, digits and underscores, at most 63.</summary>
    /// <value><c>millrace</c>.</value>
    public string Schema { get; set; } = "millrace";

    /// <summary>How many connections the handlers' own pool opens at most, in each process. The engine uses 2 more, however many jobs run. What is set here counts for servers and children alike: ask <see cref="MillraceProcess.IsChild"/> to tell them apart. Has no effect when a data source was given: then its pool is the handlers'.</summary>
    /// <value>10 in a server, 2 in a child process (<see cref="WorkerOptions.Processes"/>). 1 to 1000.</value>
    public int HandlerConnections { get; set; } = MillraceProcess.IsChild ? 2 : 10;

    /// <summary>How long the engine waits for the answer to one exchange. The heartbeat has its own, shorter limit.</summary>
    /// <value>30 seconds. 1 second to 10 minutes.</value>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one heartbeat may take, connecting included. Much less than a node's expiry, so that several may fail.</summary>
    /// <value>3 seconds. 1 to 30 seconds, whole seconds.</value>
    public TimeSpan BeatTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a statement waits for a row that another transaction holds before it gives up and is tried again.</summary>
    /// <value>2 seconds. 10 milliseconds to 1 minute.</value>
    public TimeSpan LockTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>What stands between this process and the database.</summary>
    /// <value><see cref="PostgresPooler.Detect"/>.</value>
    public PostgresPooler Pooler { get; set; }

    internal IReadOnlyList<Setting> InForce()
    {
        var otherwise = new PostgresOptions();
        return
        [
            Setting.Of("Postgres.Schema", Schema, otherwise.Schema),
            Setting.Of("Postgres.HandlerConnections", HandlerConnections, otherwise.HandlerConnections),
            Setting.Of("Postgres.CommandTimeout", CommandTimeout, otherwise.CommandTimeout),
            Setting.Of("Postgres.BeatTimeout", BeatTimeout, otherwise.BeatTimeout),
            Setting.Of("Postgres.LockTimeout", LockTimeout, otherwise.LockTimeout),
            Setting.Of("Postgres.Pooler", Pooler, otherwise.Pooler),
        ];
    }

    internal IEnumerable<string> Faults()
    {
        if (!SchemaName().IsMatch(Schema))
            yield return $"PostgresOptions.Schema must be 1 to 63 lower-case letters, digits or underscores and not begin with a digit; it is \"{Schema}\".";
        if (HandlerConnections is < 1 or > 1000)
            yield return $"PostgresOptions.HandlerConnections must be 1 to 1000; it is {HandlerConnections}.";
        if (CommandTimeout < TimeSpan.FromSeconds(1) || CommandTimeout > TimeSpan.FromMinutes(10))
            yield return $"PostgresOptions.CommandTimeout must be 1 second to 10 minutes; it is {CommandTimeout}.";
        if (BeatTimeout < TimeSpan.FromSeconds(1) || BeatTimeout > TimeSpan.FromSeconds(30))
            yield return $"PostgresOptions.BeatTimeout must be 1 to 30 seconds; it is {BeatTimeout}.";
        if (LockTimeout < TimeSpan.FromMilliseconds(10) || LockTimeout > TimeSpan.FromMinutes(1))
            yield return $"PostgresOptions.LockTimeout must be 10 milliseconds to 1 minute; it is {LockTimeout}.";
        if (!Enum.IsDefined(Pooler))
            yield return $"PostgresOptions.Pooler must be Detect, Direct or Transaction; it is {Pooler}.";
    }

    [GeneratedRegex("^[a-z_][a-z0-9_]{0,62}\\z")]
    private static partial Regex SchemaName();
}

/// <summary>What stands between a process and the database.</summary>
public enum PostgresPooler
{
    /// <summary>Found out with the first connection: a pooler hands out process numbers that are not the server's.</summary>
    Detect,

    /// <summary>Nothing, or a pooler in session mode: sessions are the process's own. LISTEN and prepared statements are used.</summary>
    Direct,

    /// <summary>A pooler in transaction mode. No LISTEN (idle nodes poll), no prepared statements, no state of a session.</summary>
    Transaction,
}
