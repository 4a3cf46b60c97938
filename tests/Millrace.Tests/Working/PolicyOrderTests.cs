using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Testing;

namespace Millrace.Tests.Working;

// Submission, then configuration, then [Job], then MillraceOptions.
public sealed class PolicyOrderTests
{
    [Job("plain")]
    private sealed record Plain;

    [Job("marked", MaxAttempts = 4, Queue = "marked", Timeout = "00:04:00", RemoveDelay = "4.00:00:00")]
    private sealed record Marked;

    [Job("configured", MaxAttempts = 4, Queue = "marked")]
    private sealed record Configured;

    [Fact]
    public async Task The_nearest_place_that_says_something_counts()
    {
        await using var server = await StartAsync();

        (await MaxAttemptsAsync(server, new Plain())).ShouldBe(5);
        (await MaxAttemptsAsync(server, new Marked())).ShouldBe(4);
        (await MaxAttemptsAsync(server, new Configured())).ShouldBe(3);
        (await MaxAttemptsAsync(server, new Configured(), new JobOptions { MaxAttempts = 2 })).ShouldBe(2);
    }

    [Fact]
    public async Task Queues_come_from_the_same_places()
    {
        await using var server = await StartAsync();

        (await server.RunAsync(new Plain())).Job.Queue.ShouldBe("default");
        (await server.RunAsync(new Marked())).Job.Queue.ShouldBe("marked");
        (await server.RunAsync(new Configured())).Job.Queue.ShouldBe("configured");
        (await server.RunAsync(new Configured(), new JobOptions { Queue = "submitted" })).Job.Queue.ShouldBe("submitted");
        server.Instance.QueueNames.ShouldBe(["configured", "default", "marked"]);
    }

    [Fact]
    public async Task Each_value_is_looked_for_by_itself()
    {
        await using var server = await StartAsync();
        var policies = server.Instance.Policies;

        var policy = policies.For("configured", new JobOptionsText(new JobOptions { MaxAttempts = 2 }).Text);

        policy.MaxAttempts.ShouldBe(2);
        policy.Timeout.ShouldBe(TimeSpan.FromMinutes(3));
        policy.RemoveDelay.ShouldBe(TimeSpan.FromHours(2));
        policies.For("marked", null).Timeout.ShouldBe(TimeSpan.FromMinutes(4));
        policies.For("marked", null).RemoveAfter(Outcome.Discarded).ShouldBe(TimeSpan.FromDays(4));
        policies.For("plain", null).RemoveAfter(Outcome.Discarded).ShouldBe(TimeSpan.FromDays(7));
    }

    private sealed record JobOptionsText(JobOptions Options)
    {
        public string? Text => Millrace.Working.JobPolicy.Of(Options).ToJson();
    }

    private static Task<JobTestServer> StartAsync() => JobTestServer.StartAsync(
        m => m
            .AddJob<Plain>((job, _) => throw job.Discard($"{job.MaxAttempts}"))
            .AddJob<Marked>((job, _) => throw job.Discard($"{job.MaxAttempts}"))
            .AddJob<Configured>((job, _) => throw job.Discard($"{job.MaxAttempts}"))
            .Configure(options => options.RemoveDelay = TimeSpan.FromHours(2)),
        services => services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Millrace:MaxAttempts"] = "5",
            ["Millrace:Jobs:configured:MaxAttempts"] = "3",
            ["Millrace:Jobs:configured:Queue"] = "configured",
            ["Millrace:Jobs:configured:Timeout"] = "00:03:00",
        }).Build()));

    private static async Task<int> MaxAttemptsAsync<TData>(JobTestServer server, TData data, JobOptions? options = null)
        where TData : notnull => int.Parse((await server.RunAsync(data, options)).Error!);
}
