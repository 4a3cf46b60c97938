using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Storage;

namespace Millrace.Postgres;

// Whether the schema is what the migrations make. What that is they say themselves.
internal sealed partial class PostgresInspection
{
    private const string ReadVersion = "select coalesce(max(version), 0) from millrace.migration";

    private const string ReadColumns = """
        select c.relname, a.attname
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join pg_catalog.pg_attribute a on a.attrelid = c.oid
        where n.nspname = @schema and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
        """;

    private const string ReadIndexes = """
        select c.relname, i.indisvalid and i.indisready
        from pg_catalog.pg_index i
        join pg_catalog.pg_class c on c.oid = i.indexrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = @schema
        """;

    private sealed record Expected(IReadOnlyList<(string Table, string Column)> Columns, IReadOnlyList<(string Name, string On)> Indexes);

    private static Expected ExpectedSchema()
    {
        var (columns, indexes) = (new List<(string, string)>(), new List<(string, string)>());
        foreach (var (_, text) in PostgresStore.Migrations())
        {
            foreach (Match table in Tables().Matches(text))
            {
                foreach (Match column in Columns().Matches(table.Groups["body"].Value))
                    columns.Add((table.Groups["name"].Value, column.Groups["name"].Value));
            }

            foreach (Match index in Indexes().Matches(text))
                indexes.Add((index.Groups["name"].Value, index.Groups["rest"].Value));
        }

        return new Expected(columns, indexes);
    }

    private async Task<int> ReadVersionAsync(CancellationToken cancellationToken) => await LookAsync("read the version of the schema", async look =>
    {
        var hasRecord = await look.OneAsync("select to_regclass(@table) is not null", [Text("table", store.SqlOf("millrace.migration"))], static reader => reader.GetBoolean(0), cancellationToken).ConfigureAwait(false);
        return hasRecord ? await look.OneAsync(ReadVersion, [], static reader => reader.GetInt32(0), cancellationToken).ConfigureAwait(false) : 0;
    }, cancellationToken).ConfigureAwait(false);

    private void CheckVersion(Report report)
    {
        var (version, known) = (report.SchemaVersion, report.KnownVersion);
        if (version == 0)
        {
            report.Add(
                "schema_missing", Severity.Error, $"The schema \"{store.Schema}\" holds no tables of Millrace.",
                "Nothing that uses Millrace has been started with this database and schema yet, or the connection string leads to another database.",
                "Start the application once with MillraceOptions.SchemaChanges set to Apply (the default), or run \"millrace db migrate\".");
        }
        else if (version < known)
        {
            report.Add(
                "schema_old", Severity.Error, $"The schema is at version {version}; this version of Millrace needs {known}.", "The application was upgraded and its migrations were not applied.",
                "Start the application once with MillraceOptions.SchemaChanges set to Apply, as a role that may change the schema, or run \"millrace db migrate\".");
        }
        else if (version > known)
        {
            report.Add(
                "schema_new", version == known + 1 ? Severity.Notice : Severity.Error, $"The schema is at version {version}; this version of Millrace knows {known}.",
                "A newer version of the application has been started with this database.",
                version == known + 1 ? "Nothing now: a version works on the schema of the next one too. Upgrade the rest." : "Upgrade this program: it works with one version more than it knows, not with this one.");
        }
    }

    private async Task CheckSchemaAsync(Report report, CancellationToken cancellationToken)
    {
        var (columns, indexes) = await LookAsync("compare the schema", async look => (
            await look.ReadAsync(ReadColumns, [Text("schema", store.Schema)], static reader => (Table: reader.GetString(0), Column: reader.GetString(1)), cancellationToken).ConfigureAwait(false),
            await look.ReadAsync(ReadIndexes, [Text("schema", store.Schema)], static reader => (Name: reader.GetString(0), IsValid: reader.GetBoolean(1)), cancellationToken).ConfigureAwait(false)), cancellationToken).ConfigureAwait(false);
        // An older schema lacks what a later migration brings: that is said already.
        if (report.SchemaVersion < report.KnownVersion)
            return;
        var expected = ExpectedSchema();
        foreach (var table in expected.Columns.Except(columns).GroupBy(static column => column.Table))
        {
            var isWhole = columns.TrueForAll(column => column.Table != table.Key);
            report.Add(
                isWhole ? "table_missing" : "column_missing", Severity.Error,
                isWhole ? $"The table {table.Key} is missing." : $"The table {table.Key} lacks {string.Join(", ", table.Select(static column => column.Column))}.",
                "Somebody changed the schema by hand, or a restore was not complete.", "Restore the schema as a whole from a backup, or make by hand what the migrations in the package's source say.");
        }

        foreach (var (name, on) in expected.Indexes)
        {
            var found = indexes.Find(index => index.Name == name);
            if (found.Name is null)
            {
                report.Add(
                    "index_missing", Severity.Warning, $"The index {name} is missing.", "The table was large when the migration ran, which then leaves the index out so as not to hold up submissions; or somebody dropped it.",
                    "Build it. Submissions and claims go on meanwhile.", store.SqlOf($"create index concurrently if not exists {name} on millrace.{on}"));
            }
            else if (!found.IsValid)
            {
                report.Add(
                    "index_invalid", Severity.Warning, $"The index {name} is not valid: it costs writes and answers nothing.", "It was being built, concurrently, and that was stopped.",
                    "Build it again.", store.SqlOf($"reindex index concurrently millrace.{name}"));
            }
        }
    }

    private const string ReadSizes = """
        select s.relname, s.n_live_tup, s.n_dead_tup, pg_total_relation_size(s.relid), pg_indexes_size(s.relid),
               coalesce(array_to_string(c.reloptions, ','), '') like '%autovacuum_enabled=false%',
               coalesce(greatest(s.last_vacuum, s.last_autovacuum)::text, 'never')
        from pg_catalog.pg_stat_user_tables s
        join pg_catalog.pg_class c on c.oid = s.relid
        where s.schemaname = @schema
        order by pg_total_relation_size(s.relid) desc
        """;

    private async Task CheckSizesAsync(Report report, CancellationToken cancellationToken)
    {
        var tables = await LookAsync("read the sizes of tables", look => look.ReadAsync(
            ReadSizes, [Text("schema", store.Schema)],
            static reader => (Name: reader.GetString(0), Live: reader.GetInt64(1), Dead: reader.GetInt64(2), Size: reader.GetInt64(3), Indexes: reader.GetInt64(4), IsLeftOut: reader.GetBoolean(5), Vacuumed: reader.GetString(6)),
            cancellationToken), cancellationToken).ConfigureAwait(false);
        report.Figure("size", Megabytes(tables.Sum(static table => table.Size)));
        foreach (var table in tables.Where(static table => table.Size > 1_000_000 || table.Name is "job" or "attempt" or "ready" or "scheduled" or "lease"))
            report.Figure($"table {table.Name}", string.Create(CultureInfo.InvariantCulture, $"{Megabytes(table.Size)} (indexes {Megabytes(table.Indexes)}), about {table.Live:N0} rows, {table.Dead:N0} dead"));
        foreach (var table in tables)
        {
            // The rows of these come and go with every job, and every claim walks over the dead ones.
            if (table.Name is "ready" or "scheduled" or "lease" && table.Dead > 50_000 && table.Dead > 2 * table.Live)
            {
                report.Add(
                    "dead_rows", Severity.Warning, string.Create(CultureInfo.InvariantCulture, $"The table {table.Name} holds {table.Dead:N0} dead rows beside {table.Live:N0} live ones; last vacuumed: {table.Vacuumed}."),
                    "An old transaction or replication slot keeps vacuum from removing them, or autovacuum does not keep up.", "End what holds the oldest snapshot (see oldest_transaction, if it is listed), then vacuum the table.",
                    store.SqlOf($"vacuum millrace.{table.Name}"));
            }

            if (table.IsLeftOut)
            {
                report.Add(
                    "autovacuum_off", Severity.Warning, $"Autovacuum is off for the table {table.Name}.", "Somebody has set autovacuum_enabled for it.", "Set it back.",
                    store.SqlOf($"alter table millrace.{table.Name} reset (autovacuum_enabled)"));
            }
        }
    }

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:N1} MB");

    [GeneratedRegex("""create table (?<name>\w+) \(\n(?<body>.*?)\n\)|alter table (?<name>\w+)\n(?<body>(?:    add column [^\n]*\n?)+)""", RegexOptions.Singleline)]
    private static partial Regex Tables();

    [GeneratedRegex("""^    (?:add column )?(?!primary key|--)(?<name>\w+) +\w""", RegexOptions.Multiline)]
    private static partial Regex Columns();

    [GeneratedRegex("""create index (?<name>\w+) on (?<rest>[^;]+);""")]
    private static partial Regex Indexes();
}
