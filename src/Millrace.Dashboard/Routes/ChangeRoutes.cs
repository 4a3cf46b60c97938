using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Changing;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Showing;
using Millrace.Storage;

namespace Millrace.Dashboard.Routes;

/// <summary>Changes of one job.</summary>
internal static class ChangeRoutes
{
    public static IReadOnlyList<Route> All { get; } =
    [
        .. Words.Actions.Select(action => Route.Post<ChangeRequest, JobChangedAnswer>(
            $"jobs/{{id}}/{action.Word}", Permission.Operate, SaysOf(action.Kind), (call, body) => ChangeAsync(call, action.Kind, body), Take.Job)),
        Route.Post<RerunRequest, SubmittedAnswer>(
            "jobs/{id}/rerun", Permission.Submit, "Submit a copy of a job with other data.", (call, body) => ManualSubmission.RerunAsync(call, call.Read(Take.Job), body), Take.Job),
        Route.Post<SubmitRequest, SubmittedAnswer>("jobs", Permission.Submit, "Submit a job of a registered type.", ManualSubmission.SubmitAsync),
    ];

    /// <summary>A change as it was asked for.</summary>
    public static JobChange ChangeOf(OperationKind kind, int? priority)
    {
        if (kind != OperationKind.Reprioritise)
            return new JobChange(kind);
        return priority is >= short.MinValue and <= short.MaxValue
            ? new JobChange(kind, (short)priority)
            : throw Problem.OutOfBounds("priority", "a whole number from -32768 to 32767", priority is null ? "The new priority is missing." : $"The priority is {priority}; it must be -32,768 to 32,767.");
    }

    private static async Task<JobChangedAnswer> ChangeAsync(Call call, OperationKind kind, ChangeRequest body)
    {
        var id = call.Read(Take.Job);
        var author = call.Visitor.Author(Call.Reason(body.Reason));
        var answer = await call.Operations.ChangeAsync(id, ChangeOf(kind, body.Priority), author, call.ExpectedVersion(), CancellationToken.None).ConfigureAwait(false);
        var state = answer.State is { } now ? Words.Of(now) : null;
        if (answer.Result == ChangeResult.Moved)
        {
            throw new Problem(412, "job_moved", "The job has changed meanwhile", $"Job {id} is {state} now. Nothing was done to it; look at it again.")
            {
                State = state,
                Version = answer.Version,
            };
        }

        await WakeAsync(call.Panel, id, answer).ConfigureAwait(false);
        return new JobChangedAnswer(Words.Of(answer.Result), state, answer.Version, JobShow.Id(answer.Operation));
    }

    // The change is stored; whoever could go on with it is told, so that he need not find it by looking.
    private static async Task WakeAsync(Panel panel, long id, ChangeAnswer answer)
    {
        if (answer.Result == ChangeResult.Asked)
        {
            panel.Instance.WakeUps.Cancels.Set();
        }
        else if (answer is { Result: ChangeResult.Done, State: JobState.Ready })
        {
            try
            {
                if (await panel.Store.FindAsync(id, CancellationToken.None).ConfigureAwait(false) is { } job)
                    await Wake.QueueAsync(panel, job.Queue).ConfigureAwait(false);
            }
            catch (StoreException)
            {
                // A hint, no more.
            }
        }
    }

    private static string SaysOf(OperationKind kind) => kind switch
    {
        OperationKind.Retry => "Make a job ready from its first attempt.",
        OperationKind.Cancel => "Cancel a pending job, or ask a running one to stop.",
        OperationKind.Delete => "Delete a job that does not run.",
        OperationKind.RunNow => "Make a scheduled job ready before its time.",
        _ => "Change the priority of a pending job.",
    };
}
