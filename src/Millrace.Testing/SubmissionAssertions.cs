using System.Runtime.CompilerServices;
using Millrace.Storage;

namespace Millrace.Testing;

/// <summary>
/// What a test can demand of what was submitted. Each throws <see cref="JobAssertionException"/> with the nearest job and the fields in which it differs, and the timeline. Conditions that
/// are null do not count; due times may be off by the tolerance, one second unless it is given.
/// </summary>
public static class SubmissionAssertions
{
    private const int PageSize = 200;

    /// <summary>A job like this is stored, whatever has become of it.</summary>
    /// <param name="server">The server.</param>
    /// <param name="predicate">About its data.</param>
    /// <param name="tag">Its tag.</param>
    /// <param name="queue">Its queue.</param>
    /// <param name="userId">Its user.</param>
    /// <param name="priority">Its priority.</param>
    /// <param name="due">When it is due.</param>
    /// <param name="dueIn">How long from now it is due.</param>
    /// <param name="tolerance">How far the due time may be off, to either side.</param>
    /// <param name="text">The predicate's own text; the compiler gives it.</param>
    /// <returns>The first such job.</returns>
    public static async Task<JobRecord> ShouldHaveSubmittedAsync<TData>(
        this JobTestServer server, Func<TData, bool>? predicate = null, string? tag = null, string? queue = null, long? userId = null, short? priority = null,
        DateTimeOffset? due = null, TimeSpan? dueIn = null, TimeSpan? tolerance = null, [CallerArgumentExpression(nameof(predicate))] string? text = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        var jobs = await ReadAllAsync(server).ConfigureAwait(false);
        var expectation = Expect(server, predicate, text, tag, queue, userId, priority, due, dueIn, tolerance);
        var found = Demand(expectation, [.. jobs.Select(SeenJob.Of)], server.History.Tail());
        return jobs.First(job => job.Id == found.Id);
    }

    /// <summary>No job like this is stored.</summary>
    /// <inheritdoc cref="ShouldHaveSubmittedAsync{TData}"/>
    /// <returns>When it is so.</returns>
    public static async Task ShouldNotHaveSubmittedAsync<TData>(
        this JobTestServer server, Func<TData, bool>? predicate = null, string? tag = null, string? queue = null, long? userId = null, short? priority = null,
        DateTimeOffset? due = null, TimeSpan? dueIn = null, TimeSpan? tolerance = null, [CallerArgumentExpression(nameof(predicate))] string? text = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        var jobs = await ReadAllAsync(server).ConfigureAwait(false);
        Refuse(Expect(server, predicate, text, tag, queue, userId, priority, due, dueIn, tolerance), [.. jobs.Select(SeenJob.Of)], server.History.Tail());
    }

    /// <summary>The run submitted or chained a job like this.</summary>
    /// <returns>The first such job.</returns>
    public static JobRecord ShouldHaveSubmitted<TData>(
        this JobRun run, Func<TData, bool>? predicate = null, string? tag = null, string? queue = null,
        [CallerArgumentExpression(nameof(predicate))] string? text = null)
    {
        ArgumentNullException.ThrowIfNull(run);
        var expectation = new Expectation<TData>(predicate, text, tag, queue, null, null, null, TimeSpan.Zero, run.Json.Read<TData>);
        var found = Demand(expectation, run.Seen, run.History.Tail());
        return run.Submitted.First(job => job.Id == found.Id);
    }

    /// <summary>The run neither submitted nor chained a job like this.</summary>
    public static void ShouldNotHaveSubmitted<TData>(
        this JobRun run, Func<TData, bool>? predicate = null, string? tag = null, string? queue = null,
        [CallerArgumentExpression(nameof(predicate))] string? text = null)
    {
        ArgumentNullException.ThrowIfNull(run);
        Refuse(new Expectation<TData>(predicate, text, tag, queue, null, null, null, TimeSpan.Zero, run.Json.Read<TData>), run.Seen, run.History.Tail());
    }

    /// <summary>A job like this was given to the client.</summary>
    /// <returns>The first such submission.</returns>
    public static RecordedJob ShouldHaveSubmitted<TData>(
        this RecordingJobClient jobs, Func<TData, bool>? predicate = null, string? tag = null, string? queue = null,
        [CallerArgumentExpression(nameof(predicate))] string? text = null)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        var found = Demand(jobs.Expect(predicate, text, tag, queue), jobs.Seen, "");
        return jobs.Recorded.First(job => job.Id == found.Id);
    }

    /// <summary>No job like this was given to the client.</summary>
    public static void ShouldNotHaveSubmitted<TData>(
        this RecordingJobClient jobs, Func<TData, bool>? predicate = null, string? tag = null, string? queue = null,
        [CallerArgumentExpression(nameof(predicate))] string? text = null)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        Refuse(jobs.Expect(predicate, text, tag, queue), jobs.Seen, "");
    }

    private static Expectation<TData> Expect<TData>(
        JobTestServer server, Func<TData, bool>? predicate, string? text, string? tag, string? queue, long? userId, short? priority, DateTimeOffset? due, TimeSpan? dueIn, TimeSpan? tolerance) =>
        due is not null && dueIn is not null
            ? throw new ArgumentException("Give due or dueIn, not both.", nameof(dueIn))
            : new Expectation<TData>(
                predicate, text, tag, queue, userId, priority, due ?? (dueIn is { } delay ? server.Clock.Now + delay : null), tolerance ?? TimeSpan.FromSeconds(1), server.Instance.Json.Read<TData>);

    private static SeenJob Demand<TData>(Expectation<TData> expectation, IReadOnlyList<SeenJob> jobs, string tail) =>
        expectation.Find(jobs) ?? throw new JobAssertionException($"Expected {expectation.Describe()}.{Environment.NewLine}{expectation.DescribeMiss(jobs)}{tail}");

    private static void Refuse<TData>(Expectation<TData> expectation, IReadOnlyList<SeenJob> jobs, string tail)
    {
        if (expectation.Find(jobs) is { } job)
            throw new JobAssertionException($"Expected not to find {expectation.Describe()}.{Environment.NewLine}But there is {Expectation<TData>.Show(job)}.{tail}");
    }

    private static async Task<List<JobRecord>> ReadAllAsync(JobTestServer server)
    {
        var jobs = new List<JobRecord>();
        while (true)
        {
            var page = await server.Instance.Store.ListAsync(new JobQuery { AfterId = jobs.Count == 0 ? 0 : jobs[^1].Id, Limit = PageSize }, CancellationToken.None).ConfigureAwait(false);
            jobs.AddRange(page);
            if (page.Count < PageSize)
                return jobs;
        }
    }
}
