using System.Collections.Frozen;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Dashboard.Showing;

/// <summary>The catalogue of types as the store has it, kept for some seconds: every job that is shown needs the schema of its type.</summary>
internal sealed class TypeBook(MillraceInstance instance)
{
    private static readonly TimeSpan keep = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim reading = new(1, 1);
    private volatile Page page = new(null, [], FrozenDictionary<string, string?>.Empty);

    public IReadOnlyList<TypeRecord> Types => page.Types;

    /// <summary>Brings it up to date. Called before anything is shown, with the types it belongs to: one that was registered a moment ago may have a member that nobody may see.</summary>
    public async Task RefreshAsync(IEnumerable<string> needed, CancellationToken cancellationToken)
    {
        var seen = page;
        if (IsFresh && needed.All(page.Schemas.ContainsKey))
            return;
        await reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (IsFresh && page != seen)
                return;
            var types = await instance.Store.Inspection.ReadTypesAsync(cancellationToken).ConfigureAwait(false);
            page = new Page(instance.Time.GetTimestamp(), types, SchemasOf(types));
        }
        finally
        {
            reading.Release();
        }
    }

    /// <summary>The schema of a type, by any of its names; null when the catalogue has none.</summary>
    public string? SchemaOf(string type) => page.Schemas.GetValueOrDefault(type);

    /// <summary>The entry of a type, by any of its names.</summary>
    public TypeRecord? Find(string name) =>
        page.Types.FirstOrDefault(type => type.Description.Name == name) ?? page.Types.FirstOrDefault(type => type.Description.Aliases.Contains(name));

    private bool IsFresh => page.Read is { } read && instance.Time.GetElapsedTime(read) < keep;

    private static FrozenDictionary<string, string?> SchemasOf(IReadOnlyList<TypeRecord> types)
    {
        var schemas = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var type in types.Select(type => type.Description))
        {
            foreach (var alias in type.Aliases)
                schemas.TryAdd(alias, type.Schema);
        }

        // A type's own name counts more than somebody's earlier one.
        foreach (var type in types.Select(type => type.Description))
            schemas[type.Name] = type.Schema;
        return schemas.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private sealed record Page(long? Read, IReadOnlyList<TypeRecord> Types, FrozenDictionary<string, string?> Schemas);
}
