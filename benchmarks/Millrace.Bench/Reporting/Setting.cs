using System.Reflection;
using System.Runtime.InteropServices;
using Millrace.Bench.Contenders;
using Millrace.Bench.Measuring;

namespace Millrace.Bench.Reporting;

/// <summary>Where and with what was measured.</summary>
internal sealed record Setting
{
    private static readonly string[] ServerSettings =
    [
        "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size", "checkpoint_timeout", "max_connections", "autovacuum_naptime", "shared_preload_libraries",
    ];

    private static readonly string[] Packages = ["Npgsql", "Microsoft.Data.Sqlite", "Hangfire.Core", "Hangfire.PostgreSql", "Quartz"];

    public required DateTimeOffset At { get; init; }

    public required string Scale { get; init; }

    public required int Processors { get; init; }

    public required string System { get; init; }

    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    public required IReadOnlyDictionary<string, string> Postgres { get; init; }

    public required IReadOnlyDictionary<string, string> Contenders { get; init; }

    public static async Task<Setting> ReadAsync(string server, Options options)
    {
        var versions = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [".NET"] = Environment.Version.ToString(),
            ["Millrace"] = VersionOf(typeof(IJobClient).Assembly),
            ["PostgreSQL"] = await Server.AskAsync<string>(server, "show server_version"),
        };
        foreach (var package in Packages)
        {
            if (Find(package) is { } assembly)
                versions[package] = VersionOf(assembly);
        }

        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in ServerSettings)
            settings[name] = await Server.AskAsync<string>(server, $"show {name}");
        return new Setting
        {
            At = TimeProvider.System.GetUtcNow(),
            Scale = options.Scale.Name,
            Processors = Environment.ProcessorCount,
            System = $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}",
            Versions = versions,
            Postgres = settings,
            Contenders = All.Contenders.ToDictionary(contender => contender.Title, contender => contender.Settings),
        };
    }

    private static Assembly? Find(string name)
    {
        try
        {
            return Assembly.Load(name);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private static string VersionOf(Assembly assembly)
    {
        var text = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? assembly.GetName().Version?.ToString() ?? "";
        // Without the commit, which the file it is kept in has anyway.
        return text.Split('+')[0];
    }
}
