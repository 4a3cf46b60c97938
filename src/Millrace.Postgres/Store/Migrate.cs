using System.Globalization;
using System.Reflection;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

// Numbered files, applied in order, each in a transaction of its own under one advisory lock. Code of version N works on schema N and
// N + 1, so that nodes can be upgraded one by one. Whoever waits for a lock on a table makes all who come later wait too: a migration gives
// up after LockTimeout, lets the others go on, and comes again.
internal sealed partial class PostgresStore
{
    // From the catalogue itself: what to_regnamespace said before the wait for the lock is remembered by the session, and would be said again.
    private const string ReadPlace = """
        select current_schema(),
               exists (select from pg_catalog.pg_namespace n where n.nspname = @schema),
               to_regclass(@table) is not null
        """;

    private const string ReadVersion = "select coalesce(max(version), 0) from millrace.migration";

    private const string RecordVersion = """
        insert into millrace.migration (version, name, applied)
        values (@version, @name, clock_timestamp())
        """;

    private const string CreateRecord = """
        create table millrace.migration (
            version     integer     primary key,
            name        text        not null,
            applied     timestamptz not null
        )
        """;

    // The view goes to the connection's own first schema, where people look for it. Not when something of that name is there already (a
    // second instance in this database), nor when this user may not create there: then it stands beside the tables.
    private const string ChooseView = """
        select has_schema_privilege(@place, 'create') and to_regclass(quote_ident(@place) || '.worker_jobs') is null
        """;

    // How long a migration comes again for its locks before the start fails.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan PauseBetweenTries = TimeSpan.FromSeconds(1);

    /// <summary>Reads the migrations this version knows, in order. Replaced by tests that come from the future.</summary>
    internal Func<IReadOnlyList<(string Name, string Text)>> Known { get; init; } = Migrations;

    public async Task MigrateAsync(bool apply, CancellationToken cancellationToken)
    {
        var migrations = Known();
        // Real time, also under a test's clock: this waits for other sessions and decides nothing.
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        while (true)
        {
            try
            {
                if (await WorkAsync("bring the schema up to date", session => StepAsync(session, migrations, apply, cancellationToken), cancellationToken).ConfigureAwait(false))
                    return;
            }
            catch (StoreException exception) when (exception.Fault == StoreFault.Conflict && time.GetElapsedTime(began) < Patience)
            {
                await Task.Delay(PauseBetweenTries, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // True when nothing is left to do.
    private async Task<bool> StepAsync(Session session, IReadOnlyList<(string Name, string Text)> migrations, bool apply, CancellationToken cancellationToken)
    {
        var (place, _, version) = await ReadSchemaAsync(session.Connection, cancellationToken).ConfigureAwait(false);
        if (Check(version, migrations.Count))
            return true;
        if (!apply)
        {
            throw new StoreException(
                StoreFault.Rejected,
                $"{Name} is at version {version}, and this version of Millrace needs {migrations.Count}: migrations are missing. Nothing was changed, because MillraceOptions.SchemaChanges is Check: start the application once with Apply, as a role that may change the schema.");
        }

        await ApplyNextAsync(session, migrations, place, cancellationToken).ConfigureAwait(false);
        return false;
    }

    private async Task ApplyNextAsync(Session session, IReadOnlyList<(string Name, string Text)> migrations, string? place, CancellationToken cancellationToken)
    {
        var connection = session.Connection;
        await using (var begin = new NpgsqlBatch(connection))
        {
            begin.BatchCommands.Add(new NpgsqlBatchCommand("begin isolation level read committed"));
            // Long enough for another node's migration; the tables' own locks are waited for less.
            begin.BatchCommands.Add(new NpgsqlBatchCommand("set local lock_timeout = '60s'"));
            begin.BatchCommands.Add(new NpgsqlBatchCommand("select pg_advisory_xact_lock(hashtextextended(@key, 7317))") { Parameters = { Text("key", "millrace " + options.Schema) } });
            begin.BatchCommands.Add(new NpgsqlBatchCommand("select set_config('lock_timeout', @lock_timeout, true)")
            {
                Parameters = { Text("lock_timeout", $"{(int)options.LockTimeout.TotalMilliseconds}ms") },
            });
            await begin.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        // Now that nobody else can: somebody may have done it while we waited.
        var (_, hasSchema, version) = await ReadSchemaAsync(connection, cancellationToken).ConfigureAwait(false);
        if (!hasSchema)
            await ExecuteAsync(connection, $"create schema {schema}", [], cancellationToken).ConfigureAwait(false);
        if (version == 0 && !await HasRecordAsync(connection, cancellationToken).ConfigureAwait(false))
            await ExecuteAsync(connection, CreateRecord, [], cancellationToken).ConfigureAwait(false);
        var view = await ChooseViewAsync(connection, place, cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, $"set local search_path to {schema}", [], cancellationToken).ConfigureAwait(false);
        if (version < migrations.Count)
        {
            var (name, text) = migrations[version];
            await ExecuteAsync(connection, text.Replace(":\"view\"", view, StringComparison.Ordinal), [], cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(connection, RecordVersion, [Int("version", version + 1), Text("name", name)], cancellationToken).ConfigureAwait(false);
        }

        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<(string? Place, bool HasSchema, int Version)> ReadSchemaAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var found = await ReadAsync(
            connection,
            ReadPlace,
            [Text("schema", options.Schema), Text("table", schema + ".migration")],
            static reader => (Place: TextAt(reader, 0), HasSchema: reader.GetBoolean(1), HasRecord: reader.GetBoolean(2)),
            cancellationToken).ConfigureAwait(false);
        var (place, hasSchema, hasRecord) = found[0];
        if (!hasRecord)
            return (place, hasSchema, 0);
        await using var command = Command(connection, ReadVersion);
        var version = await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        return (place, hasSchema, Convert.ToInt32(version, CultureInfo.InvariantCulture));
    }

    private async Task<bool> HasRecordAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select to_regclass(@table) is not null", connection);
        command.Parameters.Add(Text("table", schema + ".migration"));
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
    }

    private async Task<string> ChooseViewAsync(NpgsqlConnection connection, string? place, CancellationToken cancellationToken)
    {
        if (place is null)
            return schema;
        await using var command = Command(connection, ChooseView, Text("place", place));
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true
            ? $"\"{place.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : schema;
    }

    // True when there is nothing to do.
    private bool Check(int version, int known)
    {
        if (version <= known + 1)
            return version >= known;
        throw new StoreException(
            StoreFault.Rejected,
            $"{Name} is at version {version}; this version of Millrace knows {known} and works with one more. Nothing was changed: upgrade the packages of this application.");
    }

    /// <summary>The texts of all migrations, in order: <c>0001_first.sql</c> is the first.</summary>
    internal static IReadOnlyList<(string Name, string Text)> Migrations()
    {
        const string Folder = ".Migrations.";
        var assembly = Assembly.GetExecutingAssembly();
        var found = new List<(string, string)>();
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var stream = assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"The resource {resource} is missing.");
            using var reader = new StreamReader(stream);
            found.Add((resource[(resource.IndexOf(Folder, StringComparison.Ordinal) + Folder.Length)..], reader.ReadToEnd()));
        }

        return found;
    }
}
