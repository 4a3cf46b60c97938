using System.Data.Common;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

/// <summary>
/// Jobs in PostgreSQL. The operations stand in files of their own. Statements name the tables as <c>millrace.job</c>, so that they can be
/// pasted into psql; <see cref="Sql"/> puts the chosen schema in their place.
/// </summary>
internal sealed partial class PostgresStore : IJobStore, IJobOperations
{
    private readonly PostgresOptions options;
    private readonly StoreClock clock;
    private readonly NpgsqlConnectionStringBuilder? settings;
    private readonly NpgsqlDataSource? given;
    private readonly string schema;
    private readonly string bell;
    private readonly int feed;

    public PostgresStore(NpgsqlConnectionStringBuilder settings, PostgresOptions options, StoreClock clock)
        : this(options, clock)
    {
        this.settings = settings;
        Name = $"PostgreSQL {Hosts.Name(settings)}/{settings.Database ?? settings.Username}, schema {options.Schema}";
        isPooled = options.Pooler == PostgresPooler.Transaction;
    }

    public PostgresStore(NpgsqlDataSource dataSource, PostgresOptions options, StoreClock clock)
        : this(options, clock)
    {
        given = dataSource;
        // The text of a data source does not carry the password, unless it was told to persist it; only harmless parts are used.
        var of = new NpgsqlConnectionStringBuilder(dataSource.ConnectionString);
        Name = $"PostgreSQL {Hosts.Name(of)}/{of.Database ?? of.Username}, schema {options.Schema}";
        isPooled = options.Pooler == PostgresPooler.Transaction;
    }

    private PostgresStore(PostgresOptions options, StoreClock clock)
    {
        this.options = options;
        this.clock = clock;
        schema = $"\"{options.Schema}\"";
        bell = BellOf(options.Schema);
        feed = FeedOf(options.Schema);
        Name = "PostgreSQL";
        Inspection = new PostgresInspection(this);
        bellTimer = new Timer(static store => _ = ((PostgresStore)store!).RingLateAsync(), this, Timeout.Infinite, Timeout.Infinite);
    }

    public string Name { get; }

    public IJobInspection Inspection { get; }

    public IJobOperations Operations => this;

    public IReadOnlyList<Setting> Settings => options.InForce();

    public bool HasBell => !isPooled;

    public DbDataSource Handlers => HandlersSource();

    public async ValueTask DisposeAsync()
    {
        await bellTimer.DisposeAsync().ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
    }
}
