using System.Buffers.Text;
using System.Security.Cryptography;
using Millrace.Dashboard.Answering;
using Millrace.Storage;

namespace Millrace.Dashboard.Changing;

/// <summary>What somebody was shown before he confirmed a change of many jobs. The token stands for exactly that: nothing of it is taken from the browser again.</summary>
/// <param name="Filter">Which jobs.</param>
/// <param name="Ids">Which jobs, when they were chosen one by one; then the filter is not used.</param>
/// <param name="Target">Which jobs, for people.</param>
/// <param name="Change">What is done to each.</param>
/// <param name="Counted">What was shown. As many are changed at most, and none that were submitted later.</param>
/// <param name="By">Who was shown it.</param>
/// <param name="Expires">Until when he may confirm.</param>
internal sealed record Preview(JobFilter Filter, IReadOnlyList<long>? Ids, string Target, JobChange Change, MatchCount Counted, string By, DateTimeOffset Expires);

/// <summary>Previews that can be confirmed, in memory: for five minutes, once, and only by who saw them.</summary>
internal sealed class Previews(TimeProvider time)
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    private const int Most = 1_000;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Preview> open = new(StringComparer.Ordinal);

    public DateTimeOffset Expiry() => time.GetUtcNow() + Life;

    public string Keep(Preview preview)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        lock (gate)
        {
            var now = time.GetUtcNow();
            foreach (var old in open.Where(pair => pair.Value.Expires <= now).Select(pair => pair.Key).ToList())
                open.Remove(old);
            if (open.Count >= Most)
                throw Problem.TooMany("too_many_previews", "Too many previews are open", Most, "Confirm those that are open, or wait five minutes.");
            open[token] = preview;
        }

        return token;
    }

    /// <summary>The preview of a token, without using it up.</summary>
    /// <exception cref="Problem">There is none, it is too old, or somebody else saw it.</exception>
    public Preview Look(string? token, string by)
    {
        Preview? preview = null;
        if (token is { Length: <= 100 })
        {
            lock (gate)
                preview = open.GetValueOrDefault(token);
        }

        // Somebody else's is not there: he would confirm what he has not seen.
        return preview is not null && preview.By == by && preview.Expires > time.GetUtcNow()
            ? preview
            : throw new Problem(409, "preview_unknown", "Look again before you confirm", "The preview was used, is older than five minutes, was made by somebody else, or by another process of the application. Make a new one.");
    }

    /// <summary>More of the same was counted.</summary>
    public void Put(string token, Preview preview)
    {
        lock (gate)
        {
            // It may have been confirmed meanwhile, and then it stays used.
            if (open.ContainsKey(token))
                open[token] = preview;
        }
    }

    /// <summary>Uses the token up.</summary>
    /// <returns>False: somebody was faster.</returns>
    public bool Take(string token)
    {
        lock (gate)
            return open.Remove(token);
    }
}
