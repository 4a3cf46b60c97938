using Microsoft.AspNetCore.Http;
using Millrace.Dashboard.Answering;

namespace Millrace.Dashboard.Watching;

/// <summary>Answers that are good for a moment, for everybody who asks the same. However many people look, the database is asked once a second for each thing that is looked at.</summary>
internal sealed class AnswerBook(TimeProvider time, Outage outage)
{
    /// <summary>Answers that are kept longer than this are dear, and may be a little older than what happens.</summary>
    public static readonly TimeSpan Cheap = TimeSpan.FromSeconds(2);

    private const int Most = 200;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);

    // How long each question took the last time.
    private readonly Dictionary<string, TimeSpan> costs = new(StringComparer.Ordinal);

    // In ticks of TimeSpan.
    private long spent;

    /// <summary>How long all questions together took since the last pulse.</summary>
    public TimeSpan Spent => new(Volatile.Read(ref spent));

    /// <summary>A pulse goes out, and everybody asks again.</summary>
    /// <returns>What was spent until now.</returns>
    public TimeSpan CountAnew() => new(Interlocked.Exchange(ref spent, 0));

    public Task<Reply> GetAsync(Route route, Call call) =>
        route.KeepFor == TimeSpan.Zero ? RunAsync(route, call) : GetKeptAsync(route, call);

    /// <summary>Something was changed here: whoever did it is to see it at once.</summary>
    public void Forget()
    {
        lock (gate)
            entries.Clear();
    }

    /// <summary>Something has changed somewhere: who asks because of that is not to be given what was true before it, unless it is dear, or was dear to make.</summary>
    /// <returns>For how long something is kept for that last reason.</returns>
    public TimeSpan ForgetCheap()
    {
        lock (gate)
        {
            foreach (var key in entries.Where(entry => entry.Value.KeepFor <= Cheap && !IsWorthKeeping(entry.Value)).Select(entry => entry.Key).ToList())
                entries.Remove(key);
            return entries.Values.Select(entry => entry.Life - time.GetElapsedTime(entry.Asked)).Where(left => left > TimeSpan.Zero).DefaultIfEmpty().Max();
        }
    }

    private bool IsWorthKeeping(Entry entry) => time.GetElapsedTime(entry.Asked) < entry.Life;

    private Task<Reply> GetKeptAsync(Route route, Call call)
    {
        var key = KeyOf(route, call.Request);
        TaskCompletionSource<Reply> promise;
        lock (gate)
        {
            if (entries.TryGetValue(key, out var entry) && (!entry.Reply.IsCompleted || time.GetElapsedTime(entry.Asked) < route.KeepFor || IsWorthKeeping(entry)))
                return entry.Reply.WaitAsync(call.Aborted);
            if (entries.Count >= Most)
                entries.Clear();
            promise = new TaskCompletionSource<Reply>(TaskCreationOptions.RunContinuationsAsynchronously);
            entries[key] = new Entry(promise.Task, time.GetTimestamp(), route.KeepFor);
        }

        return AskAsync(route, call, key, promise);
    }

    private async Task<Reply> AskAsync(Route route, Call call, string key, TaskCompletionSource<Reply> promise)
    {
        try
        {
            var began = time.GetTimestamp();
            // To its end, also when whoever asked first has gone away: the others wait for the same answer, and his request is what it reads from.
            var reply = await RunAsync(route, call.Unhurried()).ConfigureAwait(false);
            Note(key, promise.Task, time.GetElapsedTime(began));
            promise.SetResult(reply);
            return reply;
        }
        catch (Exception exception)
        {
            Drop(key, promise.Task);
            promise.SetException(exception);
            // Seen, even when nobody else waits.
            _ = promise.Task.Exception;
            throw;
        }
    }

    // Only what the database has answered just now says that it is there.
    private async Task<Reply> RunAsync(Route route, Call call)
    {
        var began = time.GetTimestamp();
        var reply = await route.Run(call).ConfigureAwait(false);
        Interlocked.Add(ref spent, time.GetElapsedTime(began).Ticks);
        if (route.AsksStore)
            outage.Over();
        return reply;
    }

    private void Note(string key, Task<Reply> reply, TimeSpan took)
    {
        lock (gate)
        {
            if (costs.Count >= Most)
                costs.Clear();
            var before = costs.GetValueOrDefault(key);
            costs[key] = took;
            if (entries.TryGetValue(key, out var entry) && entry.Reply == reply)
                entries[key] = entry with { Life = Dear.LifeOf(before, took) };
        }
    }

    private void Drop(string key, Task<Reply> reply)
    {
        lock (gate)
        {
            if (entries.TryGetValue(key, out var entry) && entry.Reply == reply)
                entries.Remove(key);
        }
    }

    // Only the parameters of the route count: others would make the same question look new.
    private static string KeyOf(Route route, HttpRequest request) =>
        string.Join('\n', [route.Path, .. route.Takes.Select(parameter => $"{parameter.Name}={request.RouteValues[parameter.Name]}{(request.Query.TryGetValue(parameter.Name, out var value) ? string.Join('\r', value.AsEnumerable()) : null)}")]);

    private sealed record Entry(Task<Reply> Reply, long Asked, TimeSpan KeepFor, TimeSpan Life = default);
}
