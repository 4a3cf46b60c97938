using System.Globalization;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Changing;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Showing;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Dashboard.Routes;

/// <summary>Changes of many jobs: first it is shown what would be touched, then exactly that is confirmed, and for a while it can be undone.</summary>
internal static class BulkRoutes
{
    // Above these the person types the number.
    private const long MostUnconfirmed = 1_000;
    private const long MostUnconfirmedDeletes = 25;

    public static IReadOnlyList<Route> All { get; } =
    [
        Route.Post<PreviewRequest, PreviewAnswer>(
            "operations/preview", Permission.Operate, "What a change of many jobs would touch, and a token to confirm exactly that. While isCounting says so, the token alone counts on.", PreviewAsync).ChangesNothing(),
        Accepted(Route.Post<StartRequest, StartedAnswer>("operations", Permission.Operate, "Confirm a preview. The change goes on in the background. Confirmed again it is not begun again: the answer is the same operation.", StartAsync)),
        Route.Get("operations/{id}", "One operation, and how far it is.", FindAsync, Take.Operation),
        Route.Post<ReasonRequest, StoppedAnswer>("operations/{id}/stop", Permission.Operate, "Stop an operation after the batch at hand.", StopAsync, Take.Operation),
        Route.Post<ReasonRequest, UndoneAnswer>("operations/{id}/undo", Permission.Operate, "Take an operation back, as far as its jobs are still as it left them.", UndoAsync, Take.Operation),
        Route.Get("audit", "What people did, newest first.", AuditAsync, Take.Before, Take.Limit),
    ];

    private static async Task<PreviewAnswer> PreviewAsync(Call call, PreviewRequest body)
    {
        if (body.Token is { } token)
            return await CountOnAsync(call, token).ConfigureAwait(false);
        var kind = KindOf(body.Action);
        Demand(call, kind);
        var change = ChangeRoutes.ChangeOf(kind, body.Priority);
        if ((body.Q is null) == (body.Ids is null))
            throw Problem.OutOfBounds("q", "q or ids", "Say which jobs: by a filter (q, empty for all), or one by one (ids). One of both.");
        var ids = body.Ids is null ? null : IdsOf(body.Ids);
        var now = call.Panel.Time.GetUtcNow();
        var filter = ids is null ? JobRoutes.FilterOf(body.Q, now) : JobFilter.All;
        var count = ids is null
            ? await call.Inspection.CountMatchesAsync(new MatchQuery(filter, kind) { Patience = JobRoutes.Patience }, call.Aborted).ConfigureAwait(false)
            : await ChosenChange.CountAsync(call.Inspection, ids, kind, call.Aborted).ConfigureAwait(false);
        var target = ids is null ? FilterText.Of(filter) is { Length: > 0 } text ? text : "all jobs" : $"{ids.Count} chosen jobs: {string.Join(", ", ids.Take(20))}{(ids.Count > 20 ? ", …" : "")}";
        var preview = new Preview
        {
            Q = body.Q, At = now.UtcTicks, Ids = ids, Target = target, Kind = JobChanges.WordOf(kind), Priority = change.Priority,
            UpToId = count.UpToId, Count = count.Count, Rest = Pending.Of(count), By = call.Visitor.Name,
        };
        return await ShowAsync(call, preview, count).ConfigureAwait(false);
    }

    // A long count comes in pieces: each request is short, and who waits sees the number grow. The jobs that are shown are those of the piece.
    private static async Task<PreviewAnswer> CountOnAsync(Call call, string token)
    {
        var preview = call.Panel.Previews.Look(token, call.Visitor.Name);
        Demand(call, preview.Change.Kind);
        if (preview.Rest is not { } rest)
            throw Problem.OutOfBounds("token", "the token of a preview that is still counting", "This preview is complete. Confirm it, or make a new one.");
        var query = new MatchQuery(preview.Filter, preview.Change.Kind)
        {
            AfterId = rest.Next, UpToId = preview.UpToId, Most = JobCounts.Cap - preview.Count, Patience = JobRoutes.Patience,
        };
        var counted = Counting.Add(preview, rest, await call.Inspection.CountMatchesAsync(query, call.Aborted).ConfigureAwait(false));
        return await ShowAsync(call, preview with { Count = counted.Count, Rest = Pending.Of(counted) }, counted).ConfigureAwait(false);
    }

    private static async Task<PreviewAnswer> ShowAsync(Call call, Preview preview, MatchCount count)
    {
        await call.Panel.Types.RefreshAsync(count.Samples.Select(job => job.Type), call.Aborted).ConfigureAwait(false);
        return call.Panel.Jobs.Preview(call.Panel.Previews.Seal(preview), preview.Expires, count);
    }

    private static async Task<StartedAnswer> StartAsync(Call call, StartRequest body)
    {
        var preview = call.Panel.Previews.Look(body.Token, call.Visitor.Name);
        Demand(call, preview.Change.Kind);
        var author = call.Visitor.Author(Call.Reason(body.Reason));
        if (body.Confirm is { } confirmed ? confirmed != preview.Count : NeedsConfirmation(preview))
        {
            throw new Problem(
                409, "confirmation_needed", "Type the number of jobs to confirm",
                string.Create(CultureInfo.InvariantCulture, $"This touches {preview.Count:N0} jobs. Confirm it with that number.")) { Count = preview.Count };
        }

        return new StartedAnswer(JobShow.Id(await call.Panel.BulkRuns.StartAsync(preview, author, CancellationToken.None).ConfigureAwait(false)));
    }

    private static async Task<OperationAnswer> FindAsync(Call call)
    {
        var id = call.Read(Take.Operation);
        var operation = call.Panel.BulkRuns.Find(id) ?? await call.Inspection.FindOperationAsync(id, call.Aborted).ConfigureAwait(false);
        return call.Panel.Jobs.Operation(operation ?? throw Problem.NotFound($"Operation {id}"));
    }

    private static async Task<StoppedAnswer> StopAsync(Call call, ReasonRequest body)
    {
        var id = call.Read(Take.Operation);
        if (call.Panel.BulkRuns.Stop(id))
            return new StoppedAnswer(true);
        // It goes on in another process, or in none: with its end recorded, its next batch changes nothing, and that is seen there.
        if (await call.Inspection.FindOperationAsync(id, call.Aborted).ConfigureAwait(false) is not { Ended: null } open || !JobChanges.CanBeUndone(open.Kind))
            return new StoppedAnswer(false);
        await call.Operations.EndAsync(id, "It was stopped.", CancellationToken.None).ConfigureAwait(false);
        return new StoppedAnswer(true);
    }

    private static async Task<UndoneAnswer> UndoAsync(Call call, ReasonRequest body)
    {
        var id = call.Read(Take.Operation);
        var answer = await call.Operations.UndoAsync(id, call.Visitor.Author(Call.Reason(body.Reason)), CancellationToken.None).ConfigureAwait(false);
        if (answer.Result == UndoResult.Done)
        {
            call.Panel.Instance.WakeUps.Scheduled.Set();
            call.Panel.Instance.LookEverywhere();
        }

        return new UndoneAnswer(Words.Of(answer.Result), answer.Restored, answer.Lost, JobShow.Id(answer.Operation));
    }

    private static async Task<OperationsAnswer> AuditAsync(Call call)
    {
        var limit = (int)call.Read(Take.Limit, 50);
        var operations = await call.Inspection.ReadOperationsAsync(call.Read(Take.Before, long.MaxValue), null, limit, call.Aborted).ConfigureAwait(false);
        return new OperationsAnswer([.. operations.Select(call.Panel.Jobs.Operation)], operations.Count == limit ? JobShow.Id(operations[^1].Id) : null);
    }

    // Deleting what others may still want to look at is for few, once it is many.
    private static void Demand(Call call, OperationKind kind)
    {
        var needed = kind == OperationKind.Delete ? Permission.Administer : Permission.Operate;
        if (!call.Visitor.MayDo(needed))
            throw Problem.MissingPermission(needed.ToWord());
    }

    private static bool NeedsConfirmation(Preview preview) =>
        preview.Count > (preview.Change.Kind == OperationKind.Delete ? MostUnconfirmedDeletes : MostUnconfirmed);

    private static OperationKind KindOf(string? action)
    {
        foreach (var (word, kind) in Words.Actions)
            if (word == action)
                return kind;
        throw Problem.OutOfBounds("action", string.Join(", ", Words.Actions.Select(one => one.Word)), "The action is missing, or is none of these.");
    }

    private static List<long> IdsOf(IReadOnlyList<string> ids)
    {
        if (ids.Count is 0 or > Take.MostJobs)
            throw Problem.OutOfBounds("ids", $"1 to {Take.MostJobs} ids", $"There are {ids.Count} ids; use a filter for more.");
        return
        [
            .. ids.Select(text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id > 0
                ? id
                : throw Problem.OutOfBounds("ids", "ids of jobs", "One of the ids is not a number.")).Distinct(),
        ];
    }

    private static Route Accepted(Route route) => route with { Run = async call => await route.Run(call).ConfigureAwait(false) with { Status = 202 } };
}
