using Millrace.Submitting;

namespace Millrace.Cli.Targets;

/// <summary>Finds out which database is meant. The first place that names one wins; <see cref="Tried"/> tells of all that were looked at.</summary>
/// <param name="folder">The current one.</param>
/// <param name="profiles">The stored profiles.</param>
/// <param name="environment">The value of a variable; null when it is not set.</param>
internal sealed class TargetFinder(string folder, ProfileFile profiles, Func<string, string?> environment)
{
    public const string Variable = "MILLRACE_CONNECTION";
    public const string DefaultFile = "millrace.db";

    private readonly List<string> tried = [];

    /// <summary>The places that were looked at and named none, in their order.</summary>
    public IReadOnlyList<string> Tried => tried;

    public static TargetFinder OfProcess() => new(Directory.GetCurrentDirectory(), ProfileFile.OfUser(), Environment.GetEnvironmentVariable);

    /// <exception cref="CommandException">There is none, or the first that is named makes no sense.</exception>
    public Target Find(string? connection, string? profile, string? schema)
    {
        if (connection is not null && profile is not null)
            throw CommandException.Usage("--connection and --profile both name a database. Give one of them.");
        return Named(connection, "--connection", schema)
            ?? (profile is null ? null : OfProfile(profile, "--profile", schema))
            ?? Named(environment(Variable), Variable, schema)
            ?? (profiles.Default is { } standard ? OfProfile(standard, "default", schema) : Miss("a default profile", $"none in {profiles.Path}"))
            ?? OfSettings(schema)
            ?? OfDefaultFile(schema)
            ?? throw new CommandException(ExitCode.CannotConnect, $"No database. These were tried, in this order:\n{string.Join('\n', tried.Select((place, i) => $"{i + 1}. {place}"))}\nLike this: millrace list --connection app.db");
    }

    private Target? Named(string? text, string place, string? schema) =>
        string.IsNullOrWhiteSpace(text) ? Miss(place, "not given") : Target.Of(text, schema, place);

    private Target OfProfile(string name, string how, string? schema) => profiles.Find(name) is { } profile
        ? Target.Of(profile.Connection, schema ?? profile.Schema, $"profile {name}", profile.IsProduction)
        : throw CommandException.Usage($"There is no profile \"{name}\" ({how}) in {profiles.Path}.{NearestName.Question(name, profiles.Names)}");

    private Target? OfSettings(string? schema)
    {
        foreach (var settings in AppSettings.Of(folder, environment))
        {
            if (settings.FindConnection() is { } found)
                return Target.Of(RelativeTo(folder, found.Text), schema ?? settings.Find("Millrace:Schema"), $"{settings.Name}, {found.Key}");
            Miss(settings.Name, settings.Fault ?? $"has no {string.Join(", ", AppSettings.Keys)}");
        }

        return null;
    }

    private Target? OfDefaultFile(string? schema) => File.Exists(Path.Combine(folder, DefaultFile))
        ? Target.Of(Path.Combine(folder, DefaultFile), schema, $"./{DefaultFile}")
        : Miss($"./{DefaultFile}", "not there");

    private Target? Miss(string place, string why)
    {
        tried.Add($"{place}: {why}");
        return null;
    }

    private static string RelativeTo(string folder, string text) => text.Contains('=', StringComparison.Ordinal) || text.Contains("://", StringComparison.Ordinal) ? text : Path.Combine(folder, text);
}
