using System.Collections;

namespace Millrace.Tests.Protocol;

/// <summary>A table of the model: a small set that never changes, equal to every other with the same rows.</summary>
internal sealed class Rows<T>(params T[] rows) : IEquatable<Rows<T>>, IReadOnlyCollection<T>
    where T : notnull
{
    public static readonly Rows<T> None = new();

    // The order of the rows does not count.
    private readonly int hash = rows.Aggregate(rows.Length, (sum, row) => sum + HashCode.Combine(row));

    public int Count => rows.Length;

    public bool Has(T row) => Array.IndexOf(rows, row) >= 0;

    public bool Any(Func<T, bool> which) => Array.Exists(rows, row => which(row));

    public Rows<T> With(T row) => Has(row) ? this : new([.. rows, row]);

    public Rows<T> Without(Func<T, bool> which) => Any(which) ? new([.. rows.Where(row => !which(row))]) : this;

    public Rows<T> Without(T row) => Without(other => other.Equals(row));

    public bool Equals(Rows<T>? other) => other is not null && (ReferenceEquals(this, other) || (hash == other.hash && Count == other.Count && Array.TrueForAll(rows, other.Has)));

    public override bool Equals(object? other) => Equals(other as Rows<T>);

    public override int GetHashCode() => hash;

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)rows).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"{{{string.Join(", ", rows)}}}";
}
