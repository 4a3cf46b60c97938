using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Millrace.Submitting;

namespace Millrace.Dashboard.Answering;

/// <summary>A parameter of the address: what it may be, for the reader of requests and for the OpenAPI document. Each is declared once and bounded.</summary>
internal abstract record Parameter(string Name, string Says)
{
    /// <summary>The one value that was given; null when none was.</summary>
    protected string? Raw(HttpRequest request)
    {
        if (request.RouteValues.TryGetValue(Name, out var value))
            // A slash inside a name stays encoded on its way through the routes.
            return (value as string)?.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        var values = request.Query.TryGetValue(Name, out var given) ? given : StringValues.Empty;
        if (values.Count > 1)
            throw Problem.OutOfBounds(Name, "1", $"{Name} was given {values.Count} times; it may be given once.");
        return values.Count == 0 || values[0]?.Length == 0 ? null : values[0];
    }

    protected Problem Wrong(string limit, string raw) =>
        Problem.OutOfBounds(Name, limit, $"{Name} is \"{Shorten(raw)}\"; it must be {limit}.");

    private static string Shorten(string raw) => Working.Sanitiser.Text(raw.Length > 60 ? raw[..60] + "…" : raw, 200);
}

/// <summary>A whole number.</summary>
internal sealed record NumberParameter(string Name, long Least, long Most, string Says) : Parameter(Name, Says)
{
    private string Limit => string.Create(CultureInfo.InvariantCulture, $"a whole number from {Least} to {Most}");

    public long? Read(HttpRequest request)
    {
        if (Raw(request) is not { } raw)
            return null;
        return long.TryParse(raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= Least && number <= Most ? number : throw Wrong(Limit, raw);
    }
}

/// <summary>A text in one line.</summary>
internal sealed record TextParameter(string Name, int Longest, string Says) : Parameter(Name, Says)
{
    private string Limit => string.Create(CultureInfo.InvariantCulture, $"a text of at most {Longest} characters, without control characters");

    public string? Read(HttpRequest request)
    {
        if (Raw(request) is not { } raw)
            return null;
        return raw.Length <= Longest && !raw.Any(char.IsControl) && !NameValidator.HasLoneSurrogate(raw) ? raw : throw Wrong(Limit, raw);
    }
}

/// <summary>A time with its offset, ISO 8601.</summary>
internal sealed record TimeParameter(string Name, string Says) : Parameter(Name, Says)
{
    private const string Limit = "a time such as 2026-11-25T13:00:00Z, from the year 2000 to 2199";

    public DateTimeOffset? Read(HttpRequest request)
    {
        if (Raw(request) is not { } raw)
            return null;
        // A plus sign that was not encoded arrives as a space.
        return DateTimeOffset.TryParse(raw.Replace(' ', '+'), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            && time.Year is >= 2000 and < 2200
            ? time
            : throw Wrong(Limit, raw);
    }
}

/// <summary>One of a few words.</summary>
internal sealed record WordParameter(string Name, IReadOnlyList<string> Words, string Says) : Parameter(Name, Says)
{
    public string? Read(HttpRequest request)
    {
        if (Raw(request) is not { } raw)
            return null;
        return Words.Contains(raw) ? raw : throw Wrong($"one of {string.Join(", ", Words)}", raw);
    }
}

/// <summary>The id of a process.</summary>
internal sealed record NodeParameter(string Name, string Says) : Parameter(Name, Says)
{
    public Guid? Read(HttpRequest request)
    {
        if (Raw(request) is not { } raw)
            return null;
        return Guid.TryParse(raw, out var id) ? id : throw Wrong("the id of a worker", raw);
    }
}

/// <summary>All parameters there are.</summary>
internal static class Take
{
    public const int MostJobs = 200;

    public static readonly NumberParameter Job = new("id", 1, long.MaxValue, "The job.");
    public static readonly NumberParameter Operation = new("id", 1, long.MaxValue, "The operation.");
    public static readonly NodeParameter Worker = new("id", "The worker.");
    public static readonly TextParameter Name = new("name", NameValidator.MaxSizeInBytes, "Its name.");
    public static readonly TextParameter Filter = new("q", Inspecting.FilterParser.Longest, "A filter.");
    public static readonly NumberParameter Before = new("before", 1, long.MaxValue, "Only smaller ids: next of the page before.");
    public static readonly NumberParameter Limit = new("limit", 1, MostJobs, "How many at most.");
    public static readonly NumberParameter LogLimit = new("limit", 1, 1_000, "How many lines at most.");
    public static readonly NumberParameter AfterRun = new("afterRun", 0, int.MaxValue, "With afterLine: only lines after this one.");
    public static readonly NumberParameter AfterLine = new("afterLine", 0, int.MaxValue, "See afterRun.");
    public static readonly TimeParameter From = new("from", "The beginning; an hour before the end when it is left out.");
    public static readonly TimeParameter To = new("to", "The end; now when it is left out.");
    public static readonly NumberParameter Step = new("stepSeconds", 60, 86_400, "How long a bucket is: a multiple of 60.");
    public static readonly TextParameter Queue = new("queue", NameValidator.MaxSizeInBytes, "Only this queue.");
    public static readonly TextParameter Type = new("type", NameValidator.MaxSizeInBytes, "Only this type.");
    public static readonly WordParameter By = new("by", ["queue", "type"], "Keep these apart.");
    public static readonly WordParameter Format = new("format", ["csv", "ndjson"], "csv, for a spreadsheet, or ndjson, one JSON object in each line.");
    public static readonly NumberParameter BeforeRun = new("beforeRun", 1, int.MaxValue, "With before: where the search before stopped.");
    public static readonly NumberParameter Hours = new("hours", 1, 168, "How far back.");
}
