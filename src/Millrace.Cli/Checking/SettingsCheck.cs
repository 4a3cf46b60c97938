using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Cli.Targets;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Cli.Checking;

/// <summary>The settings of the application in a folder, checked by the code that checks them when the application starts.</summary>
internal static class SettingsCheck
{
    public static IReadOnlyList<Finding> Findings(string folder, Func<string, string?> environment)
    {
        var files = AppSettings.Of(folder, environment).Where(settings => settings.Fault is null).ToList();
        // The last one given wins, and the files come with the one that counts most first.
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(Enumerable.Reverse(files).SelectMany(settings => settings.Values).DistinctByLast()).Build();
        if (!configuration.GetSection("Millrace").GetChildren().Any())
            return [];
        var builder = new MillraceBuilder(new ServiceCollection(), MillraceServiceCollectionExtensions.DefaultName).AddWorkers();
        var settings = Settings.Read(configuration, builder);
        return [.. settings.Faults.Select(fault => new Finding("settings", Severity.Error, fault, $"The section Millrace in {string.Join(", ", files.Select(file => file.Name))}.", "Correct it: the application does not start like this.")), .. Contradictions(settings)];
    }

    // What each setting allows by itself, and what they make of each other.
    private static IEnumerable<Finding> Contradictions(Settings settings)
    {
        if (settings.Workers is not { } workers)
            yield break;
        if (workers.NodeExpiry < 3 * workers.PollInterval && workers.PollInterval > TimeSpan.FromSeconds(1))
        {
            yield return new Finding(
                "settings_poll_interval", Severity.Warning, $"PollInterval is {workers.PollInterval}, NodeExpiry {workers.NodeExpiry}.",
                "Nodes look for work hardly more often than they expire.", "Set Millrace:Workers:PollInterval to a third of NodeExpiry at most, or leave it at a second.");
        }

        if (settings.Options.Timeout is var timeout && timeout != Timeout.InfiniteTimeSpan && workers.ShutdownGrace > timeout)
        {
            yield return new Finding(
                "settings_shutdown_grace", Severity.Notice, $"ShutdownGrace is {workers.ShutdownGrace}, and no attempt may run longer than {timeout} (Timeout).",
                "A stop can wait longer than any job can take.", "Set Millrace:Workers:ShutdownGrace to the longest Timeout at most.");
        }

        if (settings.Options.SubmitTimeout > workers.NodeExpiry * 10)
        {
            yield return new Finding(
                "settings_submit_timeout", Severity.Notice, $"SubmitTimeout is {settings.Options.SubmitTimeout}, NodeExpiry {workers.NodeExpiry}.",
                "During an outage callers wait long after the nodes were declared dead.", "Set Millrace:SubmitTimeout to what a caller can wait for.");
        }
    }

    private static IEnumerable<KeyValuePair<string, string?>> DistinctByLast(this IEnumerable<KeyValuePair<string, string>> values)
    {
        var last = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in values)
            last[key] = value;
        return last;
    }
}
