using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Showing;
using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Dashboard.Changing;

/// <summary>Jobs submitted by hand: of types that a process has registered, with data that fits their schema, and recorded. A name from the browser selects an entry of the catalogue, or nothing.</summary>
internal static class ManualSubmission
{
    /// <summary>A copy of a job with other data (<see cref="Rerun"/>).</summary>
    public static async Task<SubmittedAnswer> RerunAsync(Call call, long id, RerunRequest request)
    {
        var job = await call.Inspection.FindAsync(id, call.Aborted).ConfigureAwait(false) ?? throw Problem.NotFound($"Job {id}");
        var data = DataOf(call, request.Data, job.Row.Type, job.Record.Data);
        var type = await CheckAsync(call, job.Row.Type, data).ConfigureAwait(false);
        // Under the name that the type has now, should the job have been stored under an earlier one.
        var copy = Rerun.Of(job, data, call.Panel.Instance.Writer) with { Type = type };
        return await SubmitAsync(call, copy, OperationKind.Rerun, $"job {id}", id, request.Reason).ConfigureAwait(false);
    }

    public static async Task<SubmittedAnswer> SubmitAsync(Call call, SubmitRequest request)
    {
        if (request.Type is not { Length: > 0 } name)
            throw Problem.OutOfBounds("type", "the name of a registered type", "The type is missing.");
        if (request.DelayMs is < 0 or > 316_224_000_000)
            throw Problem.OutOfBounds("delayMs", "0 to 316224000000", "The delay must be zero to ten years.");
        var data = DataOf(call, request.Data, name, null);
        var type = await CheckAsync(call, name, data).ConfigureAwait(false);
        var options = new JobOptions { Queue = request.Queue, Tag = request.Tag, Delay = TimeSpan.FromMilliseconds(request.DelayMs ?? 0) };
        var job = Written(() => call.Panel.Instance.Writer.Write(type, data, options, parent: null));
        return await SubmitAsync(call, job, OperationKind.Submit, $"type {type}", null, request.Reason).ConfigureAwait(false);
    }

    /// <summary>JSON, or a string that holds JSON text, as the API tells data; with what was blanked in it.</summary>
    private static string DataOf(Call call, JsonElement given, string type, string? original)
    {
        if (given.ValueKind == JsonValueKind.Undefined)
            throw Problem.OutOfBounds("data", "JSON", "The data is missing.");
        try
        {
            // GetString fails on half of a surrogate pair.
            var text = given.ValueKind == JsonValueKind.String ? given.GetString() ?? "null" : given.GetRawText();
            DataValidator.Check(type, text, call.Panel.Instance.Options.MaxDataSizeInBytes);
            return BlankedData.Fill(text, original);
        }
        catch (Exception exception) when (exception is JobDataException or ArgumentException or InvalidOperationException)
        {
            throw new Problem(400, "bad_data", "The data cannot be stored", exception.Message) { Field = "data" };
        }
    }

    /// <summary>The name under which it is submitted.</summary>
    private static async Task<string> CheckAsync(Call call, string name, string data)
    {
        await call.Panel.Types.RefreshAsync([name], call.Aborted).ConfigureAwait(false);
        var type = call.Panel.Types.Find(name)
            ?? throw new Problem(400, "unknown_type", "There is no such type", $"No process has registered the type \"{name}\". Only registered types can be submitted by hand.") { Field = "type" };
        if (type.Description.Schema is { } schema && SchemaCheck.Fault(data, schema) is { } fault)
            throw new Problem(400, "bad_data", "The data does not fit the type", $"{fault} The type {type.Description.Name} asks for it.") { Field = "data" };
        return type.Description.Name;
    }

    private static async Task<SubmittedAnswer> SubmitAsync(Call call, NewJob job, OperationKind kind, string target, long? jobId, string? reason)
    {
        var author = call.Visitor.Author(Call.Reason(reason));
        var instance = call.Panel.Instance;
        var answer = await instance.Submitter.SubmitAsync(job, CancellationToken.None).ConfigureAwait(false);
        instance.WakeUps.Submitted([job]);
        var after = new JsonObject { ["job"] = JobShow.Id(answer.Id), ["type"] = job.Type, ["queue"] = job.Queue };
        try
        {
            await call.Operations.RecordAsync(kind, author, target, jobId ?? answer.Id, after.ToJsonString(), CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException exception)
        {
            // Here the job is stored already: whoever took this for "nothing was changed" would submit it twice.
            throw new StoreException(StoreFault.Unknown, $"Job {answer.Id} was submitted, but that could not be recorded. {exception.Message}", exception);
        }

        return new SubmittedAnswer(JobShow.Id(answer.Id), Words.Of(answer.State));
    }

    private static NewJob Written(Func<NewJob> write)
    {
        try
        {
            return write();
        }
        catch (ArgumentException exception)
        {
            throw new Problem(400, "out_of_bounds", "The job cannot be stored", exception.Message) { Field = exception.ParamName };
        }
    }
}
