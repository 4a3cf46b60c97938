using System.Globalization;
using Millrace.Storage;

namespace Millrace.Cli.Changing;

/// <summary>What a change is called, in the words of a question and of an answer. Pure.</summary>
internal static class ChangeWords
{
    public static string Verb(JobChange change) => change.Kind switch
    {
        OperationKind.RunNow => "Run now",
        OperationKind.Reprioritise => string.Create(CultureInfo.InvariantCulture, $"Give priority {change.Priority} to"),
        _ => change.Kind.ToString(),
    };

    public static string Done(JobChange change) => change.Kind switch
    {
        OperationKind.Retry => "ready again",
        OperationKind.Cancel => "cancelled",
        OperationKind.Delete => "deleted",
        OperationKind.RunNow => "ready now",
        _ => string.Create(CultureInfo.InvariantCulture, $"at priority {change.Priority}"),
    };

    /// <summary>Which states allow the change, for whoever tried it on another.</summary>
    public static string Allowed(JobChange change) => change.Kind switch
    {
        OperationKind.Retry => "Jobs that finished, are scheduled, or wait can be retried.",
        OperationKind.Cancel => "Jobs that have not finished can be cancelled.",
        OperationKind.Delete => "Jobs that do not run can be deleted. Cancel it first.",
        OperationKind.RunNow => "Scheduled jobs can be run now. To run a finished one again: millrace retry",
        _ => "Pending jobs have a priority that can be changed.",
    };
}
