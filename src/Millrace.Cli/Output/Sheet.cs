namespace Millrace.Cli.Output;

/// <summary>How rows of one kind are shown, in each format: one description for table, CSV, JSON and ids.</summary>
/// <param name="Schema">The document's name, such as <c>millrace.jobs.v1</c>.</param>
/// <param name="Member">The member that holds the rows.</param>
/// <param name="Id">What <c>-o id</c> prints.</param>
/// <param name="Columns">All that is told of a row.</param>
internal sealed record Sheet<T>(string Schema, string Member, Func<T, string> Id, IReadOnlyList<Column<T>> Columns)
{
    public Members Of(T row)
    {
        var members = new Members();
        foreach (var column in Columns)
        {
            if (column.Name is { } name)
                members.Add(name, column.Value(row));
        }

        return members;
    }
}

/// <summary>One thing that is told of a row.</summary>
/// <param name="Name">In JSON and CSV; null for a column of tables alone.</param>
/// <param name="Header">In tables; null for one that is not shown there.</param>
/// <param name="Value">See <see cref="Members"/>.</param>
internal sealed record Column<T>(string? Name, string? Header, Func<T, object?> Value)
{
    /// <summary>What tables show instead of the value. It need not be neutral yet.</summary>
    public Func<T, string?>? Text { get; init; }

    public Func<T, Ink>? Ink { get; init; }

    public bool IsRight { get; init; }

    /// <summary>The first to be cut when the terminal is too narrow.</summary>
    public bool IsElastic { get; init; }
}
