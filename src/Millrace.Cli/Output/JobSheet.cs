using System.Globalization;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Cli.Output;

/// <summary>Jobs in lists. The names are those of the dashboard's API.</summary>
internal static class JobSheet
{
    /// <param name="when">A time as a table shows it.</param>
    /// <param name="schemas">The JSON Schemas of the types, which say what is secret.</param>
    public static Sheet<JobRow> Make(Func<DateTimeOffset?, string?> when, IReadOnlyDictionary<string, string?> schemas) => new(
        "millrace.jobs.v1",
        "jobs",
        job => job.Id.ToString(CultureInfo.InvariantCulture),
        [
            new("id", "ID", job => Id(job.Id)) { IsRight = true },
            new("type", "TYPE", job => job.Type),
            new("state", "STATE", Words.State) { Ink = job => Words.InkOf(Words.State(job)) },
            new("waitsFor", null, job => job.WaitsFor),
            new("queue", "QUEUE", job => job.Queue),
            new("tag", "TAG", job => job.Tag) { IsElastic = true },
            new("userId", null, job => Id(job.UserId)),
            new("priority", "PRIO", job => (int)job.Priority) { IsRight = true, Text = job => job.Priority == 0 ? "" : job.Priority.ToString(CultureInfo.InvariantCulture) },
            new("run", null, job => job.Run),
            new("attempt", "ATTEMPT", job => job.Attempt) { IsRight = true },
            new(null, "WHEN", _ => null) { Text = job => when(MomentOf(job)) },
            new("due", null, job => job.Due),
            new("created", null, job => job.Created),
            new("started", null, job => job.Started),
            new("finished", null, job => job.Finished),
            new("outcome", null, job => job.LastOutcome?.ToWord()),
            new("progress", null, job => job.Progress),
            new("data", null, job => Redactor.Json(job.Data, schemas.GetValueOrDefault(job.Type))),
            new("error", null, job => job.Error is null ? null : Redactor.Text(job.Error)),
            new(null, "NOTE", _ => null) { Text = NoteOf, IsElastic = true, Ink = job => job.Progress is null ? Ink.Dim : Ink.Plain },
            new("schedule", null, job => job.Schedule),
            new("parent", null, job => job.Parent is { } parent ? Id(parent) : null),
            new("node", null, job => job.Node),
            new("deletedBy", null, job => job.DeletedBy is { } operation ? Id(operation) : null),
        ]);

    /// <summary>A 64-bit id as JSON has it: a text, because many readers of JSON only know doubles.</summary>
    public static string Id(long id) => id.ToString(CultureInfo.InvariantCulture);

    /// <summary>The JSON Schemas of the catalogue, by type.</summary>
    public static async Task<IReadOnlyDictionary<string, string?>> ReadSchemasAsync(IJobStore store, CancellationToken cancellationToken) =>
        (await store.Inspection.ReadTypesAsync(cancellationToken).ConfigureAwait(false)).ToDictionary(type => type.Description.Name, type => type.Description.Schema, StringComparer.Ordinal);

    // The time that matters in its state.
    private static DateTimeOffset? MomentOf(JobRow job) => job.State switch
    {
        JobState.Running => job.Started,
        JobState.Ready or JobState.Scheduled or JobState.Waiting => job.Due,
        _ => job.Finished,
    };

    private static string? NoteOf(JobRow job) => job switch
    {
        { Progress: { } percent, State: JobState.Running } => string.Create(CultureInfo.InvariantCulture, $"{percent:0}%"),
        { WaitsFor: { } what, State: JobState.Waiting } when what != "quarantine" => $"for its {what}",
        { Error: { } error } when job.State != JobState.Succeeded => Redactor.Text(error).Split('\n', 2)[0],
        _ => null,
    };
}
