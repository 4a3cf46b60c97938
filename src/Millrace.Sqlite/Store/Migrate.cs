using System.Globalization;
using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    private const string MigrationSql = """
        create table if not exists millrace_migration (
            number      integer     primary key,
            name        text        not null,
            applied_at  integer     not null
        )
        """;

    // Two processes may start at once: the second waits for the first one's transaction and then finds everything done.
    public Task MigrateAsync(bool apply, CancellationToken cancellationToken) =>
        apply ? WriteAsync(Migrate, cancellationToken) : ReadAsync(CheckMigrations, cancellationToken);

    private bool Migrate(Session session)
    {
        session.Script(MigrationSql);
        var applied = AppliedMigrations(session);
        CheckNotTooNew(applied);
        foreach (var (number, name) in Migrations().Where(migration => !applied.Contains(migration.Number)))
        {
            session.Script(ReadMigration(name));
            session.Execute("insert into millrace_migration (number, name, applied_at) values (@number, @name, @now)",
                ("@number", number), ("@name", name), ("@now", Now()));
        }

        return true;
    }

    private bool CheckMigrations(Session session)
    {
        var applied = HasMigrations(session) ? AppliedMigrations(session) : [];
        CheckNotTooNew(applied);
        var missing = Migrations().Where(migration => !applied.Contains(migration.Number)).Select(migration => migration.Name).ToArray();
        if (missing.Length > 0)
            throw new StoreException(StoreFault.Rejected,
                $"The SQLite database {file.Path} lacks {missing.Length} migration(s) of Millrace: {string.Join(", ", missing)}. Nothing was changed. "
                + "Start the application once with MillraceOptions.SchemaChanges set to Apply.");
        return true;
    }

    private void CheckNotTooNew(HashSet<long> applied)
    {
        // This version works on the schema after its own, so that processes can be upgraded one by one; beyond that it knows nothing.
        var newest = NewestMigration;
        if (applied.Count > 0 && applied.Max() > newest + 1)
            throw new StoreException(StoreFault.Rejected,
                $"The SQLite database {file.Path} has schema {applied.Max()}, but this version of Millrace knows {newest} and works up to {newest + 1}. Nothing was changed. Upgrade this process.");
    }

    internal static bool HasMigrations(Session session) => session.Any("select 1 from sqlite_master where type = 'table' and name = 'millrace_migration'");

    internal static HashSet<long> AppliedMigrations(Session session) =>
        [.. session.Query("select number from millrace_migration", row => row.GetInt64(0))];

    private static List<(long Number, string Name)> Migrations() =>
        [.. typeof(SqliteStore).Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
            .Select(name => name[(name.IndexOf("Migrations.", StringComparison.Ordinal) + "Migrations.".Length)..])
            .Select(name => (long.Parse(name.AsSpan(0, 4), CultureInfo.InvariantCulture), name))
            .Order()];

    internal static long NewestMigration => Migrations().Max(migration => migration.Number);

    /// <summary>All that makes a schema of this version.</summary>
    internal static IEnumerable<string> MigrationTexts(long version) =>
        Migrations().Where(migration => migration.Number <= version).Select(migration => ReadMigration(migration.Name)).Prepend(MigrationSql);

    private static string ReadMigration(string name)
    {
        using var stream = typeof(SqliteStore).Assembly.GetManifestResourceStream($"Millrace.Sqlite.Migrations.{name}")
            ?? throw new InvalidOperationException($"The migration {name} is not in the assembly.");
        using var text = new StreamReader(stream);
        return text.ReadToEnd();
    }
}
