using System.Collections.Concurrent;
using Millrace.Dashboard.Answering;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Dashboard.Changing;

/// <summary>Changes of many jobs that go on in the background of this process, however long the browser stays. They stop with the application, after the batch at hand; the audit says how far they came.</summary>
internal sealed class BulkRuns(Panel panel)
{
    private const int Most = 4;

    private static readonly TimeSpan leastBetweenNews = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<long, Running> runs = new();
    private int taken;

    /// <summary>Begins one, unless its preview was confirmed before, here or on another server.</summary>
    /// <returns>The operation's id: that of the first confirmation.</returns>
    public async Task<long> StartAsync(Preview preview, Author author, CancellationToken cancellationToken)
    {
        // What has come to its end by itself makes room.
        if (Interlocked.Increment(ref taken) > Most)
        {
            Interlocked.Decrement(ref taken);
            throw Problem.TooMany("too_many_operations", "Too many operations are going on", Most, "Wait until one has ended, or stop it.");
        }

        var isMine = false;
        try
        {
            (var id, isMine) = await panel.Store.Operations.BeginOnceAsync(preview.Id, preview.Change, author, preview.Target, preview.Count, cancellationToken).ConfigureAwait(false);
            if (isMine)
                await RunAsync(id, preview).ConfigureAwait(false);
            return id;
        }
        finally
        {
            if (!isMine)
                Interlocked.Decrement(ref taken);
        }
    }

    /// <summary>How far one is that goes on in this process; null when none of this id does.</summary>
    public OperationRecord? Find(long id) => runs.GetValueOrDefault(id)?.Latest;

    /// <returns>False: it does not go on in this process.</returns>
    public bool Stop(long id)
    {
        if (!runs.TryGetValue(id, out var run))
            return false;
        run.Stop.Cancel();
        return true;
    }

    public Task StopAsync()
    {
        foreach (var run in runs.Values)
            run.Stop.Cancel();
        return Task.WhenAll(runs.Values.Select(run => run.Work));
    }

    private async Task RunAsync(long id, Preview preview)
    {
        var run = new Running(await LookAsync(id).ConfigureAwait(false));
        runs[id] = run;
        run.Work = Task.Run(() => RunAsync(id, preview, run), CancellationToken.None);
    }

    // It is recorded and nobody else will run it: a reader that does not answer must not keep it from going on.
    private async Task<OperationRecord?> LookAsync(long id)
    {
        try
        {
            return await panel.Store.Inspection.FindOperationAsync(id, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            return null;
        }
    }

    private async Task RunAsync(long id, Preview preview, Running run)
    {
        var news = new News(progress => Tell(run, progress), panel.Time);
        try
        {
            run.Latest = preview.Ids is { } ids
                ? await ChosenChange.RunAsync(panel.Store, id, ids, preview.Change, news, run.Stop.Token).ConfigureAwait(false)
                : await new BulkChange(panel.Store).RunAsync(id, preview.Filter, preview.Change, preview.UpToId, preview.Count, news, run.Stop.Token).ConfigureAwait(false);
        }
        catch (StoreException exception)
        {
            // The last word could not be written: the audit shows it without an end.
            Log.Unfinished(panel.Log, exception, id, "the database did not answer");
        }
        catch (Exception exception)
        {
            Log.Unfinished(panel.Log, exception, id, "it failed");
        }
        finally
        {
            runs.TryRemove(id, out _);
            Interlocked.Decrement(ref taken);
        }

        panel.Instance.WakeUps.Scheduled.Set();
        panel.Instance.WakeUps.Cancels.Set();
        panel.Instance.LookEverywhere();
        panel.Changed();
        if (run.Latest is { } last)
            panel.Broadcast.Say(last);
    }

    private void Tell(Running run, (long Done, long Skipped) progress)
    {
        if (run.Latest is not { } latest)
            return;
        run.Latest = latest with { Done = progress.Done, Skipped = progress.Skipped };
        panel.Broadcast.Say(run.Latest);
    }

    private sealed class Running(OperationRecord? begun)
    {
        public CancellationTokenSource Stop { get; } = new();

        public OperationRecord? Latest { get; set; } = begun;

        public Task Work { get; set; } = Task.CompletedTask;
    }

    // Not Progress<T>, which tells later and out of order. Batches may come faster than anybody can read.
    private sealed class News(Action<(long Done, long Skipped)> tell, TimeProvider time) : IProgress<(long Done, long Skipped)>
    {
        private long? told;

        public void Report((long Done, long Skipped) value)
        {
            if (told is { } before && time.GetElapsedTime(before) < leastBetweenNews)
                return;
            told = time.GetTimestamp();
            tell(value);
        }
    }
}
