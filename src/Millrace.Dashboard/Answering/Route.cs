using System.Buffers.Text;
using System.Security.Cryptography;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Showing;

namespace Millrace.Dashboard.Answering;

/// <summary>One route of the API: what it is called, what it needs, what it takes and what it gives. A route cannot be written without the permission that it needs.</summary>
internal sealed record Route
{
    public required string Method { get; init; }

    /// <summary>Below the API's base.</summary>
    public required string Path { get; init; }

    public required Permission Needs { get; init; }

    /// <summary>One sentence, for the OpenAPI document.</summary>
    public required string Says { get; init; }

    public required IReadOnlyList<Parameter> Takes { get; init; }

    /// <summary>The type of the body; null for none.</summary>
    public Type? Body { get; private init; }

    /// <summary>The type of the answer; null for one that is not plain JSON.</summary>
    public Type? Answer { get; private init; }

    /// <summary>How long an answer is good for everybody who asks the same: so many people may look, and the database is asked once.</summary>
    public TimeSpan KeepFor { get; init; }

    /// <summary>Whether an answer shows that the database is there.</summary>
    public bool AsksStore { get; private init; } = true;

    public required Func<Call, Task<Reply>> Run { get; init; }

    public bool IsChange => Method == "POST";

    /// <summary>Whether what others look at may be another after it.</summary>
    public bool HasEffect { get; private init; } = true;

    /// <summary>Something to look at.</summary>
    public static Route Get<TAnswer>(string path, string says, Func<Call, Task<TAnswer>> run, params IReadOnlyList<Parameter> takes) => new()
    {
        Method = "GET",
        Path = path,
        Needs = Permission.View,
        Says = says,
        Takes = takes,
        Answer = typeof(TAnswer),
        Run = async call => Reply.Of(await run(call).ConfigureAwait(false)),
    };

    /// <summary>Something to look at, answered in its own way.</summary>
    public static Route Get(string path, string says, Func<Call, Task<Reply>> run, params IReadOnlyList<Parameter> takes) => new()
    {
        Method = "GET",
        Path = path,
        Needs = Permission.View,
        Says = says,
        Takes = takes,
        Run = run,
    };

    /// <summary>Something to change. The body is JSON.</summary>
    public static Route Post<TBody, TAnswer>(string path, Permission needs, string says, Func<Call, TBody, Task<TAnswer>> run, params IReadOnlyList<Parameter> takes)
        where TBody : class => new()
        {
            Method = "POST",
            Path = path,
            Needs = needs,
            Says = says,
            Takes = takes,
            Body = typeof(TBody),
            Answer = typeof(TAnswer),
            Run = async call => Reply.Of(await run(call, await call.ReadBodyAsync<TBody>().ConfigureAwait(false)).ConfigureAwait(false)),
        };

    public Route Keep(double seconds) => this with { KeepFor = TimeSpan.FromSeconds(seconds) };

    public Route ChangesNothing() => this with { HasEffect = false };

    public Route WithoutStore() => this with { AsksStore = false };

    public Route Gives<TAnswer>() => this with { Answer = typeof(TAnswer) };
}

/// <summary>What a route says: bytes of JSON, or nothing when it has written the response itself.</summary>
/// <param name="Body">Null: the response is written.</param>
/// <param name="Status">Of the response.</param>
/// <param name="Version">The entity tag to use; null for one made from the bytes.</param>
internal sealed record Reply(byte[]? Body, int Status = 200, string? Version = null)
{
    private string? tag;

    /// <summary>The entity tag. Of a body that many ask for it is worked out once.</summary>
    public string Tag => Version ?? (tag ??= Base64Url.EncodeToString(SHA256.HashData(Body ?? []).AsSpan(0, 15)));

    public static Reply Written { get; } = new((byte[]?)null);

    public static Reply Of<T>(T value, int status = 200, string? version = null) => new(DashboardJson.Bytes(value), status, version);
}
