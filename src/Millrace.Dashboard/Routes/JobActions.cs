using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Showing;
using Millrace.Storage;

namespace Millrace.Dashboard.Routes;

/// <summary>What a visitor can do to a job as it stands: the buttons of its page. Pure.</summary>
internal static class JobActions
{
    public static IReadOnlyList<string> Of(JobDetail job, Visitor visitor)
    {
        if (job.Row.DeletedBy is not null)
            return [];
        var actions = visitor.MayDo(Permission.Operate)
            ? Words.Actions.Where(action => JobChanges.Allowed(action.Kind).HasFlag(Words.StateOf(job.Row))).Select(action => action.Word)
            : [];
        return [.. actions, .. visitor.MayDo(Permission.Submit) ? ["rerun"] : Array.Empty<string>()];
    }
}
