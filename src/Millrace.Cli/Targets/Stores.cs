using Millrace.Postgres;
using Millrace.Sqlite;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Cli.Targets;

/// <summary>Makes the store of a target. In a file of its own, and each database in a method of its own, so that the driver of the other one is never loaded.</summary>
internal static class Stores
{
    public static IJobStore Make(Target target) => target.Kind == TargetKind.Sqlite ? MakeSqlite(target) : MakePostgres(target);

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
