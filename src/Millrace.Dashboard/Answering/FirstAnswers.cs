using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Millrace.Storage;

namespace Millrace.Dashboard.Answering;

/// <summary>
/// Changes that came with an <c>Idempotency-Key</c>: the same request of the same person, sent again within ten minutes, gets the first answer and changes nothing. In the memory of this process: another server
/// does not know of it. What was refused changed nothing, so its key is free again.
/// </summary>
internal sealed class FirstAnswers(TimeProvider time)
{
    public const string Header = "Idempotency-Key";
    public const int LongestKey = 64;

    /// <summary>How many are kept: a few hundred bytes each, for the answers of changes are a few short members. The oldest make room.</summary>
    public const int Most = 4_000;

    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    private readonly Lock gate = new();
    private readonly Dictionary<(string By, string Key), First> firsts = [];

    /// <summary>The key of a request; null when it has none.</summary>
    public static string? KeyOf(HttpRequest request)
    {
        var values = request.Headers[Header];
        if (values.Count == 0)
            return null;
        return values is [{ Length: > 0 and <= LongestKey } key] && key.All(character => character is > ' ' and <= '~')
            ? key
            : throw Problem.OutOfBounds(Header, "1 to 64 visible ASCII characters", $"The header {Header} must be given once, with 1 to 64 visible ASCII characters. Nothing was changed.");
    }

    public async Task<Reply> GetAsync(Route route, Call call, Func<Route, Call, Task<Reply>> run)
    {
        if (KeyOf(call.Request) is not { } key || !route.HasEffect)
            return await run(route, call).ConfigureAwait(false);
        var print = await PrintAsync(call).ConfigureAwait(false);
        var (first, isMine) = Take((call.Visitor.Name, key), print);
        if (!isMine)
            return first.Answer();
        try
        {
            // To its end, also when whoever asked has gone away: he will ask again for the answer.
            return first.End(await run(route, call.Unhurried()).ConfigureAwait(false));
        }
        catch (Exception exception) when (LeavesOpen(exception))
        {
            first.End(exception);
            throw;
        }
        catch
        {
            Drop((call.Visitor.Name, key), first);
            throw;
        }
    }

    /// <summary>Whether something may have been changed all the same, so that it must not be tried again.</summary>
    private static bool LeavesOpen(Exception exception) => exception switch
    {
        Problem or BadHttpRequestException => false,
        StoreException store => store.Fault == StoreFault.Unknown,
        SubmitException { InnerException: StoreException store } => store.Fault == StoreFault.Unknown,
        _ => true,
    };

    // Everything that says what is to be changed. The person is part of the key: somebody else's is another one.
    private static async Task<byte[]> PrintAsync(Call call)
    {
        var request = call.Request;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in (string[])[request.Method, request.PathBase, request.Path, request.QueryString.Value ?? "", request.Headers.IfMatch.ToString(), request.ContentType ?? ""])
        {
            hash.AppendData(Encoding.UTF8.GetBytes(part));
            hash.AppendData([0]);
        }

        hash.AppendData(await call.KeepBodyAsync().ConfigureAwait(false));
        return hash.GetHashAndReset();
    }

    private (First First, bool IsMine) Take((string By, string Key) name, byte[] print)
    {
        lock (gate)
        {
            foreach (var old in firsts.Where(pair => pair.Value.IsOver(time)).Select(pair => pair.Key).ToList())
                firsts.Remove(old);
            if (firsts.TryGetValue(name, out var first))
                return first.Print.AsSpan().SequenceEqual(print) ? (first, false) : throw Reused();
            if (firsts.Count >= Most)
                firsts.Remove(Oldest());
            return (firsts[name] = new First(print, time.GetTimestamp()), true);
        }
    }

    // One that is being worked on is never forgotten: it is what its key is for.
    private (string By, string Key) Oldest()
    {
        var ended = firsts.Where(pair => pair.Value.HasEnded).ToList();
        return ended.Count > 0
            ? ended.MinBy(pair => pair.Value.Began).Key
            : throw Problem.TooMany("too_many_changes", "Too many changes are going on", Most, "Wait until some have been answered. Nothing was changed.");
    }

    private void Drop((string By, string Key) name, First first)
    {
        lock (gate)
        {
            if (firsts.GetValueOrDefault(name) == first)
                firsts.Remove(name);
        }
    }

    private static Problem Reused() => new(
        422, "idempotency_key_reused", "This key belongs to another request",
        $"Within the last {Life.TotalMinutes:0} minutes you sent the {Header} with another request: another path, version or body. Nothing was changed. Use a new key for each change.");

    private static Problem Busy() => new(
        409, "idempotency_key_busy", "The first request with this key is still being worked on",
        $"The same request came with the same {Header}, and has no answer yet. Nothing was changed by this one. Send it again in a moment to get that answer.");

    private sealed class First(byte[] print, long began)
    {
        // Written once, by the request that was the first; read by those that come after it.
        private volatile Outcome? outcome;

        public byte[] Print => print;

        public long Began => began;

        public bool HasEnded => outcome is not null;

        public bool IsOver(TimeProvider time) => HasEnded && time.GetElapsedTime(began) >= Life;

        public Reply End(Reply reply)
        {
            outcome = new Outcome(reply, null);
            return reply;
        }

        public void End(Exception exception) => outcome = new Outcome(null, ExceptionDispatchInfo.Capture(exception));

        public Reply Answer()
        {
            if (outcome is not { } known)
                throw Busy();
            known.Fault?.Throw();
            return known.Reply ?? Reply.Written;
        }
    }

    private sealed record Outcome(Reply? Reply, ExceptionDispatchInfo? Fault);
}
