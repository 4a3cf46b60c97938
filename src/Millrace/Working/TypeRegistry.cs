using Millrace.Submitting;
using Millrace.Tending;

namespace Millrace.Working;

/// <summary>The types this process has handlers for.</summary>
internal sealed class TypeRegistry
{
    private readonly Dictionary<string, JobType> byName = new(StringComparer.Ordinal);

    public TypeRegistry(IEnumerable<JobType> types)
    {
        var faults = new List<string>();
        foreach (var type in types)
        {
            foreach (var name in type.Aliases.Prepend(type.Name))
            {
                if (byName.TryGetValue(name, out var other))
                    faults.Add($"Two handlers claim the job type \"{name}\": {Describe(other)} and {Describe(type)}. A stored name belongs to one of them.");
                else
                    byName.Add(name, type);
            }
        }
        Faults = faults;
        Names = [.. byName.Keys.Order(StringComparer.Ordinal)];
        Isolated = [.. Names.Where(name => byName[name].IsIsolated)];
        Ordinary = [.. Names.Where(name => !byName[name].IsIsolated)];
    }

    public IReadOnlyList<string> Faults { get; }

    /// <summary>All names, aliases too, in order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether the application registered any: the built-in job is always there.</summary>
    public bool HasHandlers => byName.Values.Any(type => type.Name != RemoveOldWorkerJobs.TypeName);

    public IReadOnlyCollection<JobType> Types => [.. byName.Values.Distinct()];

    /// <summary>Whether any type runs alone in a child process.</summary>
    public bool HasIsolated => Isolated.Count > 0;

    /// <summary>The names of the types that run alone in a child process.</summary>
    public IReadOnlyList<string> Isolated { get; }

    /// <summary>The names of all others.</summary>
    public IReadOnlyList<string> Ordinary { get; }

    public JobType? Find(string name) => byName.GetValueOrDefault(name);

    public string DescribeUnknown(string name)
    {
        var nearest = NearestName.Find(name, Names);
        var hint = nearest is null ? "" : $" Did you mean \"{nearest}\"?";
        return $"No handler for job type \"{name}\". Registered: {string.Join(", ", Names)}.{hint}";
    }

    private static string Describe(JobType type) => $"{type.HandlerType?.Name ?? "a delegate"} for {type.DataType.Name}";
}
