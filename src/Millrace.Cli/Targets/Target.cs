using System.Text.RegularExpressions;

namespace Millrace.Cli.Targets;

/// <summary>The database that a command works on, and where the name of it was found.</summary>
/// <param name="Kind">Which product.</param>
/// <param name="Connection">The path of a SQLite file, or a connection string of Npgsql. May hold a password: never shown.</param>
/// <param name="Schema">PostgreSQL's schema; null for the default.</param>
/// <param name="Source">Where it was found, for people.</param>
/// <param name="IsProduction">It was declared, or looks, like a production database.</param>
internal sealed record Target(TargetKind Kind, string Connection, string? Schema, string Source, bool IsProduction)
{
    public const string DefaultSchema = "millrace";

    /// <param name="text">A path, a connection string, or a URI.</param>
    /// <param name="schema">PostgreSQL's schema; null for the default.</param>
    /// <param name="source">Where it was found, for people.</param>
    /// <param name="isProduction">It was declared to be a production database.</param>
    /// <exception cref="CommandException">It is none of these. The message does not quote it: it may hold a password.</exception>
    public static Target Of(string text, string? schema, string source, bool isProduction = false)
    {
        var (kind, connection) = ConnectionText.Read(text, source);
        if (kind == TargetKind.Sqlite && schema is not null)
            throw CommandException.Usage("--schema is for PostgreSQL: a SQLite file has no schemas.");
        var names = kind == TargetKind.Sqlite ? connection : ConnectionText.NamesOf(connection);
        return new Target(kind, connection, schema, source, isProduction || LooksLikeProduction($"{names} {source}"));
    }

    // "prod" as a word of a host, a database, a folder or a profile: prod-db.example, app_production. Not "products".
    public static bool LooksLikeProduction(string names) =>
        Regex.IsMatch(names, "(?<![a-z])(prod|production|live)(?![a-z])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
}

internal enum TargetKind
{
    Sqlite,
    Postgres,
}
