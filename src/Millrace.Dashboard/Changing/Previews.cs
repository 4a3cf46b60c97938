using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Showing;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Dashboard.Changing;

/// <summary>What somebody was shown before he confirmed a change of many jobs. The token holds exactly that, sealed: nothing of it is taken from the browser in the open.</summary>
internal sealed record Preview
{
    /// <summary>Which jobs: a filter as it was typed. Null when they were chosen one by one.</summary>
    public string? Q { get; init; }

    /// <summary>When it was typed, in ticks of UTC: <c>finished&gt;-1h</c> means the same for as long as the preview lasts.</summary>
    public required long At { get; init; }

    /// <summary>Which jobs, when they were chosen one by one.</summary>
    public IReadOnlyList<long>? Ids { get; init; }

    /// <summary>Which jobs, for people.</summary>
    public required string Target { get; init; }

    /// <summary>What is done to each: the word of its kind.</summary>
    public required string Kind { get; init; }

    public short? Priority { get; init; }

    /// <summary>Jobs that were submitted later are left alone.</summary>
    public required long UpToId { get; init; }

    /// <summary>How many were shown, and at most are changed.</summary>
    public required long Count { get; init; }

    /// <summary>Where the count goes on, while it does.</summary>
    public Pending? Rest { get; init; }

    /// <summary>Who was shown it.</summary>
    public required string By { get; init; }

    /// <summary>Keeps two of the same apart: what the confirmation claims in the database, so that it begins once. The same while it is counted on.</summary>
    public Guid Id { get; init; } = Guid.NewGuid();

    [JsonIgnore]
    public DateTimeOffset Expires => new DateTimeOffset(At, TimeSpan.Zero) + Previews.Life;

    [JsonIgnore]
    public JobChange Change => new(JobChanges.KindOf(Kind), Priority);

    [JsonIgnore]
    public JobFilter Filter => Q is null ? JobFilter.All : FilterParser.Parse(Q, new DateTimeOffset(At, TimeSpan.Zero));
}

/// <summary>A count that stopped before its end, to be gone on with.</summary>
internal sealed record Pending
{
    /// <summary>After which job.</summary>
    public required long Next { get; init; }

    public required long Skipped { get; init; }

    public required IReadOnlyDictionary<StateSet, long> ByState { get; init; }

    public required IReadOnlyDictionary<string, long> ByType { get; init; }

    public required IReadOnlyDictionary<string, long> ByQueue { get; init; }

    public static Pending? Of(MatchCount count) => count.Next is { } next
        ? new Pending { Next = next, Skipped = count.Skipped, ByState = count.ByState, ByType = count.ByType, ByQueue = count.ByQueue }
        : null;
}

/// <summary>
/// Previews that can be confirmed: for five minutes, and only by who saw them. They are kept by the browser, sealed, and not here; so any server of the application can take the confirmation
/// that knows the key. One that is confirmed twice begins once. See docs/decisions/0022.
/// </summary>
internal sealed class Previews(TimeProvider time, IDataProtector seal)
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    // Of 200 chosen jobs, or of a count by a hundred types and a hundred queues with the longest of names.
    private const int LongestToken = 128 * 1024;

    /// <summary>Sealed with the application's own keys when it keeps them in a place that its servers share; else with a key that this process has made and forgets.</summary>
    /// <param name="services">Of the application.</param>
    /// <param name="purpose">Tells dashboards apart: a token of one is none of another.</param>
    public static IDataProtector SealOf(IServiceProvider services, params IEnumerable<string> purpose)
    {
        // AddAuthentication brings a provider along whose keys are this machine's, at best, and writes them somewhere: that was not asked for here.
        var isShared = services.GetService<IOptions<KeyManagementOptions>>()?.Value.XmlRepository is not null;
        var provider = isShared ? services.GetService<IDataProtectionProvider>() : null;
        return (provider ?? new EphemeralDataProtectionProvider()).CreateProtector(["Millrace.Dashboard.Previews.v1", .. purpose]);
    }

    public string Seal(Preview preview) => seal.Protect(JsonSerializer.Serialize(preview, DashboardJson.Of<Preview>()));

    /// <summary>The preview of a token.</summary>
    /// <exception cref="Problem">There is none, it is too old, or somebody else saw it.</exception>
    public Preview Look(string? token, string by)
    {
        var preview = Open(token);
        // Somebody else's is not there: he would confirm what he has not seen.
        if (preview is null || preview.By != by || preview.Expires <= time.GetUtcNow())
        {
            throw new Problem(
                409, "preview_unknown", "Look again before you confirm",
                string.Create(CultureInfo.InvariantCulture, $"The preview is older than {Life.TotalMinutes:0} minutes, was made by somebody else, or by another server that does not share its keys (Data Protection). Make a new one."));
        }

        return preview;
    }

    private Preview? Open(string? token)
    {
        if (token is not { Length: > 0 and <= LongestToken })
            return null;
        try
        {
            return JsonSerializer.Deserialize(seal.Unprotect(token), DashboardJson.Of<Preview>());
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException or JsonException)
        {
            return null;
        }
    }
}
