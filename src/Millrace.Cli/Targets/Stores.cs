using Millrace.Postgres;
using Millrace.Sqlite;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Cli.Targets;

/// <summary>Makes the store of a target. In a file of its own, and each database in a method of its own, so that the driver of the other one is never loaded.</summary>
internal static class Stores
{
    public static IJobStore Make(Target target) => target.Kind == TargetKind.Sqlite ? MakeSqlite(target) : MakePostgres(target);

    /// <summary>The database for people: product, host or file, schema. Never a secret.</summary>
    public static string NameOf(Target target) => target.Kind == TargetKind.Sqlite ? $"SQLite {target.Connection}" : NameOfPostgres(target);

    private static string NameOfPostgres(Target target)
    {
        var settings = new NpgsqlConnectionStringBuilder(target.Connection);
        return $"PostgreSQL {Hosts.Name(settings)}/{settings.Database ?? settings.Username}, schema {target.Schema ?? Target.DefaultSchema}";
    }

    private static SqliteStore MakeSqlite(Target target) =>
        new(new SqliteFile(target.Connection, new SqliteOptions()), new StoreClock(TimeProvider.System));

    private static PostgresStore MakePostgres(Target target) =>
        new(
            new NpgsqlConnectionStringBuilder(target.Connection) { ApplicationName = new NpgsqlConnectionStringBuilder(target.Connection).ApplicationName ?? "millrace cli" },
            OptionsOf(target),
            new StoreClock(TimeProvider.System));

    private static PostgresOptions OptionsOf(Target target)
    {
        var options = new PostgresOptions { Schema = target.Schema ?? Target.DefaultSchema, HandlerConnections = 2 };
        return options.Faults().FirstOrDefault() is { } fault ? throw CommandException.Usage(fault) : options;
    }
}
