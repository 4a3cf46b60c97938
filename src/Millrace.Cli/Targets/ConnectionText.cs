using System.Data.Common;
using Npgsql;

namespace Millrace.Cli.Targets;

/// <summary>Tells what a text that names a database is: the path of a SQLite file, a connection string, or a URI of PostgreSQL. Pure. No message quotes the text, which may hold a password.</summary>
internal static class ConnectionText
{
    public static (TargetKind Kind, string Connection) Read(string text, string source)
    {
        if (text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase))
            return (TargetKind.Postgres, OfUri(text, source));
        if (!text.Contains('=', StringComparison.Ordinal))
            return (TargetKind.Sqlite, Path.GetFullPath(text));
        var pairs = new DbConnectionStringBuilder();
        try
        {
            pairs.ConnectionString = text;
        }
        catch (ArgumentException)
        {
            throw CommandException.Usage($"The connection from {source} cannot be read: it must be key=value pairs, separated by semicolons.");
        }

        if (pairs.TryGetValue("Host", out _) || pairs.TryGetValue("Server", out _))
            return (TargetKind.Postgres, Checked(text, source));
        foreach (var key in (string[])["Data Source", "DataSource", "Filename"])
        {
            if (pairs.TryGetValue(key, out var file))
                return (TargetKind.Sqlite, Path.GetFullPath(file.ToString() ?? ""));
        }

        throw CommandException.Usage($"The connection from {source} names neither a Host (PostgreSQL) nor a Data Source (SQLite).");
    }

    /// <summary>What names the database: host, database and application.</summary>
    public static string NamesOf(string connection)
    {
        var settings = new NpgsqlConnectionStringBuilder(connection);
        return $"{settings.Host} {settings.Database} {settings.ApplicationName}";
    }

    private static string Checked(string text, string source)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text).ConnectionString;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw CommandException.Usage($"The connection from {source} cannot be read. It must be key=value pairs that Npgsql knows, like Host=localhost;Database=app;Username=app.");
        }
    }

    private static string OfUri(string text, string source)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            throw CommandException.Usage($"The connection from {source} is not a URI such as postgres://user@host:5432/database.");
        var settings = new NpgsqlConnectionStringBuilder { Host = uri.Host };
        if (uri.Port > 0)
            settings.Port = uri.Port;
        var user = uri.UserInfo.Split(':', 2);
        if (user[0].Length > 0)
            settings.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length > 1)
            settings.Password = Uri.UnescapeDataString(user[1]);
        if (uri.AbsolutePath.Length > 1)
            settings.Database = Uri.UnescapeDataString(uri.AbsolutePath[1..]);
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
            Set(settings, pair.Split('=', 2), source);
        return settings.ConnectionString;
    }

    // The names that libpq gives to what Npgsql calls otherwise.
    private static void Set(NpgsqlConnectionStringBuilder settings, string[] pair, string source)
    {
        var name = pair[0] switch
        {
            "sslmode" => "SSL Mode",
            "application_name" => "Application Name",
            "connect_timeout" => "Timeout",
            "options" => "Options",
            "target_session_attrs" => "Target Session Attributes",
            "sslrootcert" => "Root Certificate",
            "sslcert" => "SSL Certificate",
            "sslkey" => "SSL Key",
            var other => other,
        };
        try
        {
            var value = Uri.UnescapeDataString(pair.Length > 1 ? pair[1] : "");
            settings[name] = name == "SSL Mode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw CommandException.Usage($"The connection from {source} has a parameter that Npgsql does not know, or with a value it does not take: {pair[0]}.");
        }
    }
}
