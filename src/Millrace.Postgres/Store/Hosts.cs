using System.Globalization;
using Npgsql;

namespace Millrace.Postgres;

/// <summary>The hosts of a connection string. Several, <c>Host=a,b</c>, are one database: a primary and its standbys.</summary>
internal static class Hosts
{
    private const string RecheckSeconds = "Host Recheck Seconds";

    /// <summary>Each host with its port, in a form that can be compared: all names of this machine are one.</summary>
    public static IEnumerable<string> Of(NpgsqlConnectionStringBuilder settings) => Split(settings).Select(static place => place.Host switch
    {
        "" or "localhost" or "127.0.0.1" or "::1" or "[::1]" => "local",
        _ when place.Host[0] is '/' or '@' => "local",
        _ => place.Host,
    } + ":" + place.Port);

    /// <summary>For messages.</summary>
    public static string Name(NpgsqlConnectionStringBuilder settings) => string.Join(',', Split(settings).Select(static place => $"{place.Host}:{place.Port}"));

    /// <summary>
    /// Of several hosts, the one that takes writes, unless the application said otherwise; and a standby is asked again every second whether it has been promoted, where Npgsql
    /// would believe for ten that it has not.
    /// </summary>
    public static void PreferThePrimary(NpgsqlConnectionStringBuilder settings)
    {
        if (settings.Host?.Contains(',', StringComparison.Ordinal) != true)
            return;
        settings.TargetSessionAttributes ??= "primary";
        if (!settings.ShouldSerialize(RecheckSeconds))
            settings.HostRecheckSeconds = 1;
    }

    private static IEnumerable<(string Host, int Port)> Split(NpgsqlConnectionStringBuilder settings)
    {
        foreach (var one in (settings.Host ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            var host = one.ToLowerInvariant();
            var colon = host.LastIndexOf(':');
            // An address of version 6 has colons of its own, and brackets when a port follows.
            var hasPort = colon > 0 && (host.IndexOf(':', StringComparison.Ordinal) == colon || host[colon - 1] == ']');
            if (hasPort && int.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
                yield return (host[..colon], port);
            else
                yield return (host, settings.Port);
        }
    }
}
