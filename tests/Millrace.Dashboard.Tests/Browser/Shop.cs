using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Browser;

/// <summary>Made into the index of words.</summary>
[Job("indexFile")]
public sealed record IndexFile(string Path, long SizeInBytes);

/// <summary>Fails for good.</summary>
[Job("chargeCard", MaxAttempts = 1, Queue = "payments")]
public sealed record ChargeCard(long OrderId, string Currency = "EUR");

/// <summary>Fails, and is tried again a day later.</summary>
[Job("sendReceipt", Queue = "mail")]
public sealed record SendReceipt(long OrderId, string Email);

/// <summary>Runs until the test lets it go.</summary>
[Job("resizeImage", Queue = "images")]
public sealed record ResizeImage(string Key);

/// <summary>A real application with jobs in every state, on a real store, for a browser to look at.</summary>
internal sealed class Shop : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> held = new();

    private volatile bool isOver;

    private Shop()
    {
    }

    public TestSite Site { get; private set; } = null!;

    public static async Task<Shop> OpenAsync(Action<SiteSetup>? change = null)
    {
        var shop = new Shop();
        var setup = new SiteSetup
        {
            Options = options => options.AllowAnonymous("A test that looks at everything").CanSubmit = true,
            Millrace = m => m
                .AddJob<IndexFile>((job, _) =>
                {
                    job.Log.LogInformation("Indexed {Path}", job.Data.Path);
                    return Task.CompletedTask;
                })
                .AddJob<ChargeCard>((job, _) => throw new InvalidOperationException($"The card of order {job.Data.OrderId} was declined (insufficient funds)."))
                .AddJob<SendReceipt>((_, _) => throw new TimeoutException("The mail server did not answer within 30 s."), retry: RetryPolicy.Every(TimeSpan.FromDays(1)))
                .AddJob<ResizeImage>(async (job, stopping) =>
                {
                    await job.ReportProgressAsync(40, "2 of 5 sizes");
                    await shop.Held(job.Data.Key).Task.WaitAsync(stopping);
                })
                .AddWorkers(),
        };
        change?.Invoke(setup);
        shop.Site = await TestSite.StartAsync(setup);
        return shop;
    }

    /// <summary>Some jobs of every kind, each where it is going to stay.</summary>
    public async Task FillAsync()
    {
        for (var i = 1; i <= 24; i++)
            await Site.Jobs.SubmitAsync(new IndexFile($"docs/page-{i}.md", 1200 + i), new JobOptions { Tag = i % 5 == 0 ? $"page-{i}" : null });
        for (var i = 1; i <= 6; i++)
            await Site.Jobs.SubmitAsync(new ChargeCard(4000 + i), new JobOptions { UserId = 40 + i });
        await Site.Jobs.SubmitAsync(new SendReceipt(4711, "ana@example.com"));
        await Site.Jobs.SubmitAsync(new ResizeImage("cover.jpg"));
        await Site.Jobs.SubmitAsync(new ResizeImage("later.jpg"), new JobOptions { Delay = TimeSpan.FromHours(3) });
        await Site.Jobs.SubmitAsync(new IndexFile("nightly", 0), new JobOptions { Tag = "nightly", CronSchedule = "0 0 2 * * *", Persistent = true });
        await CountAsync("state:succeeded type:indexFile", 24);
        await CountAsync("state:failed", 6);
        await CountAsync("state:retrying", 1);
        await CountAsync("state:running", 1);
    }

    /// <summary>Lets a held job end.</summary>
    public void Release(string key) => Held(key).TrySetResult();

    /// <summary>Waits until so many jobs match.</summary>
    public Task CountAsync(string filter, int count) =>
        TestSite.UntilAsync(async () => (await Site.GetAsync($"/jobs/api/v1/jobs?limit=200&q={Uri.EscapeDataString(filter)}", user: null)).Json.GetProperty("jobs").GetArrayLength(), found => found == count);

    public async ValueTask DisposeAsync()
    {
        isOver = true;
        foreach (var one in held.Values)
            one.TrySetResult();
        await Site.DisposeAsync();
    }

    private TaskCompletionSource Held(string key)
    {
        var found = held.GetOrAdd(key, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        // One that begins while everything ends is not to be waited for.
        if (isOver)
            found.TrySetResult();
        return found;
    }
}
