using System.Globalization;

namespace Millrace.Dashboard.Answering;

/// <summary>A request that gets no answer but a reason: thrown anywhere, written in one place, as JSON for programs and as a page for people.</summary>
internal sealed class Problem(int status, string code, string title, string detail) : Exception(title)
{
    public int Status => status;

    /// <summary>A stable name.</summary>
    public string Code => code;

    public string Title => Message;

    /// <summary>What happened, to which thing, and what to do.</summary>
    public string Detail => detail;

    /// <summary>The parameter or member that is wrong.</summary>
    public string? Field { get; init; }

    /// <summary>What it may be at most, or which values there are.</summary>
    public string? Limit { get; init; }

    /// <summary>Where in a text it is wrong, from 0.</summary>
    public int? Position { get; init; }

    public int? Length { get; init; }

    /// <summary>The state that a job has now.</summary>
    public string? State { get; init; }

    public string? Version { get; init; }

    /// <summary>The permission that is missing.</summary>
    public string? Permission { get; init; }

    /// <summary>How many jobs an operation touches.</summary>
    public long? Count { get; init; }

    public DateTimeOffset? Since { get; init; }

    public static Problem OutOfBounds(string field, string limit, string detail) =>
        new(400, "out_of_bounds", $"The parameter {field} is out of bounds", detail) { Field = field, Limit = limit };

    public static Problem NotFound(string what) => new(404, "not_found", "There is no such thing", $"{what} is not stored. It never was, or it has been removed.");

    public static Problem MissingPermission(string permission) =>
        new(403, "forbidden", "That is not allowed", $"This needs the permission \"{permission}\", which you do not have here.") { Permission = permission };

    public static Problem TooMany(string code, string title, int limit, string detail) =>
        new(503, code, title, detail) { Limit = limit.ToString(CultureInfo.InvariantCulture) };
}
