using Millrace.Postgres;
using Millrace.Sqlite;

namespace Millrace.Cli.Targets;

/// <summary>The SQL of migrations, for people who apply it themselves. Each database in a method of its own, so that the driver of the other one is never loaded.</summary>
internal static class Scripts
{
    public static int Newest(TargetKind kind) => kind == TargetKind.Sqlite ? NewestOfSqlite() : NewestOfPostgres();

    public static string Write(Target target, int from, int to) =>
        target.Kind == TargetKind.Sqlite ? WriteSqlite(from, to) : WritePostgres(target.Schema ?? Target.DefaultSchema, from, to);

    private static int NewestOfSqlite() => SqliteStore.NewestVersion;

    private static int NewestOfPostgres() => PostgresStore.NewestVersion;

    private static string WriteSqlite(int from, int to) => SqliteStore.Script(from, to);

    private static string WritePostgres(string schema, int from, int to) => PostgresStore.Script(schema, from, to);
}
