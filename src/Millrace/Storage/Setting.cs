using System.Globalization;

namespace Millrace.Storage;

/// <summary>A setting that is in force, for people. Never a secret: connection strings are no settings here.</summary>
/// <param name="Name">Its class without <c>Options</c>, and its property: <c>Workers.Concurrency</c>.</param>
/// <param name="Value">As configuration would have it.</param>
/// <param name="Source">Where it came from.</param>
public sealed record Setting(string Name, string Value, SettingSource Source)
{
    /// <summary>One that the application may have set, in code or configuration. Set to what is the default anyway, it counts as default.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="value">What it is.</param>
    /// <param name="otherwise">What it is when nobody sets it.</param>
    public static Setting Of<T>(string name, T value, T otherwise) =>
        new(name, Say(value), EqualityComparer<T>.Default.Equals(value, otherwise) ? SettingSource.Default : SettingSource.Application);

    private static string Say(object? value) => value switch
    {
        null => "none",
        TimeSpan time when time == Timeout.InfiniteTimeSpan => "infinite",
        bool isOn => isOn ? "yes" : "no",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "none",
    };
}

/// <summary>Where a <see cref="Setting"/> came from.</summary>
public enum SettingSource
{
    /// <summary>Nobody set it.</summary>
    Default,

    /// <summary>The application's code or configuration.</summary>
    Application,

    /// <summary>An environment variable of Millrace's own.</summary>
    Environment,
}

/// <summary>Living nodes that have the same settings.</summary>
/// <param name="Application">The program that they run; null when it is not known.</param>
/// <param name="Settings">What they registered: see <see cref="NewNode.Settings"/>.</param>
/// <param name="Nodes">How many they are.</param>
/// <param name="Names">Their names, at most 20.</param>
public sealed record NodeSettings(string? Application, string Settings, int Nodes, IReadOnlyList<string> Names)
{
    /// <summary>How many of the nodes are named.</summary>
    public const int MostNames = 20;
}
