using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Showing;
using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Dashboard.Answering;

/// <summary>One request that was let in.</summary>
internal sealed class Call(Panel panel, HttpContext context, Visitor visitor, CancellationToken aborted)
{
    public const int MostBodyBytes = 1024 * 1024;

    public Panel Panel => panel;

    public HttpContext Context => context;

    public HttpRequest Request => context.Request;

    public Visitor Visitor => visitor;

    public IJobInspection Inspection => panel.Store.Inspection;

    public IJobOperations Operations => panel.Store.Operations;

    /// <summary>Whoever asked has gone away.</summary>
    public CancellationToken Aborted => aborted;

    /// <summary>The same, to be answered whether he is still there or not.</summary>
    public Call Unhurried() => new(panel, context, visitor, CancellationToken.None);

    public long Read(NumberParameter parameter, long otherwise) => parameter.Read(Request) ?? otherwise;

    /// <summary>A number that a route cannot do without.</summary>
    public long Read(NumberParameter parameter) => parameter.Read(Request) ?? throw Problem.OutOfBounds(parameter.Name, "a whole number", $"{parameter.Name} is missing.");

    public string? Read(TextParameter parameter) => parameter.Read(Request);

    public string? Read(WordParameter parameter) => parameter.Read(Request);

    public DateTimeOffset? Read(TimeParameter parameter) => parameter.Read(Request);

    public Guid Read(NodeParameter parameter) => parameter.Read(Request) ?? throw Problem.OutOfBounds(parameter.Name, "the id of a worker", $"{parameter.Name} is missing.");

    /// <summary>A name that may be stored, from the address.</summary>
    public string ReadName(string what)
    {
        var name = Take.Name.Read(Request) ?? "";
        return NameValidator.Fault(what, name) is { } fault ? throw Problem.OutOfBounds(Take.Name.Name, "1 to 200 bytes", fault) : name;
    }

    /// <summary>The version that the caller has seen, from <c>If-Match</c>; null when he does not care.</summary>
    public string? ExpectedVersion()
    {
        var value = Request.Headers.IfMatch.ToString();
        if (value is "" or "*")
            return null;
        return value.Length <= 200 && value is ['"', .. var version, '"'] && !version.Contains('"')
            ? version
            : throw Problem.OutOfBounds("If-Match", "one version in quotes", "If-Match must be the version of the job in quotes, as its ETag says.");
    }

    /// <summary>The body as JSON.</summary>
    public async Task<T> ReadBodyAsync<T>()
        where T : class
    {
        if (!Request.HasJsonContentType())
            throw new Problem(415, "json_needed", "The body must be JSON", "Send the body as JSON, with Content-Type: application/json. An empty object will do where nothing is asked.");
        var body = await ReadAllAsync().ConfigureAwait(false);
        try
        {
            return JsonSerializer.Deserialize(body, DashboardJson.Of<T>()) ?? throw new JsonException("The body is null.");
        }
        catch (JsonException exception)
        {
            throw new Problem(400, "bad_json", "The body cannot be read", $"The body is not the JSON that is expected here: {Working.Sanitiser.Text(exception.Message, 500)}") { Field = exception.Path };
        }
    }

    /// <summary>The bytes of the body, which can be read once more after this.</summary>
    public async Task<byte[]> KeepBodyAsync()
    {
        var body = await ReadAllAsync().ConfigureAwait(false);
        Request.Body = new MemoryStream(body, writable: false);
        return body;
    }

    /// <summary>A reason as it may be stored.</summary>
    public static string? Reason(string? reason) =>
        reason is { Length: > 1_000 } ? throw Problem.OutOfBounds("reason", "1000 characters", $"The reason has {reason.Length} characters; at most 1,000 are allowed.") : reason;

    private async Task<byte[]> ReadAllAsync()
    {
        if (Request.ContentLength > MostBodyBytes)
            throw TooLarge();
        var buffer = new ArrayBufferWriter<byte>();
        while (true)
        {
            var read = await Request.Body.ReadAsync(buffer.GetMemory(4096), Aborted).ConfigureAwait(false);
            if (read == 0)
                return buffer.WrittenSpan.ToArray();
            buffer.Advance(read);
            if (buffer.WrittenCount > MostBodyBytes)
                throw TooLarge();
        }
    }

    private static Problem TooLarge() => new(413, "body_too_large", "The body is too large", "The body may have at most 1 MB.") { Limit = "1048576" };
}
