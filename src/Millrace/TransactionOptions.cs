using System.Data;

namespace Millrace;

/// <summary>How a <c>WithTransactionAsync</c> runs.</summary>
public sealed record TransactionOptions
{
    internal static readonly TransactionOptions Default = new();

    /// <summary>The isolation level. <see cref="IsolationLevel.Serializable"/> by default; SQLite knows no other.</summary>
    public IsolationLevel IsolationLevel { get; init; } = IsolationLevel.Serializable;

    /// <summary>How often the work is tried in all when it meets conflicts. 20 by default; at least 1.</summary>
    public int MaxTries { get; init; } = 20;

    /// <summary>The clock of the pauses between tries. The system's by default.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
