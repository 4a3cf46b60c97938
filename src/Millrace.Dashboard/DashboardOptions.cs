using Millrace.Dashboard.Guarding;

namespace Millrace;

/// <summary>
/// How one dashboard is shown, and to whom. Given to the callback of <c>MapMillraceDashboard</c>. Outside Development the application starts only when somebody has decided who may see it:
/// by <c>RequireAuthorization</c> on what <c>MapMillraceDashboard</c> returns, by <see cref="UsePolicies"/>, or by <see cref="AllowAnonymous"/>.
/// </summary>
public sealed class DashboardOptions
{
    /// <summary>What the pages are called.</summary>
    /// <value><c>Millrace</c>.</value>
    public string Title { get; set; } = "Millrace";

    /// <summary>Which instance of Millrace it shows: the name given to <c>AddMillrace</c>.</summary>
    /// <value><c>millrace</c>, the name of the one that was given none.</value>
    public string Instance { get; set; } = MillraceServiceCollectionExtensions.DefaultName;

    /// <summary>Nobody can change anything through this dashboard, whatever the policies say.</summary>
    /// <value>False.</value>
    public bool IsReadOnly { get; set; }

    /// <summary>
    /// Whether jobs can be submitted by hand, and run again with other data. Only types that a process has registered, with data that fits their schema; each is recorded. Whoever may do it is able to run any
    /// handler with any data, so it is a permission of its own (<see cref="UsePolicies"/>).
    /// </summary>
    /// <value>Null: in Development only.</value>
    public bool? CanSubmit { get; set; }

    /// <summary>
    /// Where the trace of a job can be seen, for a link on its page: an address with <c>{traceId}</c> in it, such as <c>https://grafana.example.com/explore?trace={traceId}</c>. Checked at start.
    /// </summary>
    /// <value>Null: the trace context is shown as text.</value>
    public string? TraceLink { get; set; }

    /// <summary>
    /// Called for every stored text before it is shown, after the built-in redaction, with the type of the job it belongs to (empty when it belongs to none) and the text: JSON or plain. What it returns is shown instead.
    /// May be called from several threads. When it throws, the whole text is blanked.
    /// </summary>
    /// <value>Null: the built-in redaction alone.</value>
    public Func<string, string, string>? Redact { get; set; }

    /// <summary>Where the link of a developer is written.</summary>
    internal TextWriter Console { get; set; } = System.Console.Out;

    internal PolicyNames? Policies { get; private set; }

    internal string? AnonymousReason { get; private set; }

    /// <summary>
    /// Names the authorization policies of the application that decide who may do what. Each permission includes those before it: who may administer may also operate, who may operate may also view.
    /// A permission without a policy is given to those only who have a greater one.
    /// </summary>
    /// <param name="view">Look at everything, secrets aside.</param>
    /// <param name="operate">Retry, cancel, delete and so on; run and pause schedules.</param>
    /// <param name="administer">Pause queues, drain workers, delete many jobs at once.</param>
    /// <param name="submit">Submit jobs by hand, where <see cref="CanSubmit"/> allows it. Null: who may administer.</param>
    public DashboardOptions UsePolicies(string? view = null, string? operate = null, string? administer = null, string? submit = null)
    {
        Policies = new PolicyNames(view, operate, administer, submit);
        return this;
    }

    /// <summary>Lets everybody who reaches the application see and change all jobs. For networks where that is meant, and with <see cref="IsReadOnly"/>.</summary>
    /// <param name="reason">Why that is right here. It is logged at each start, so that whoever reads the log can disagree.</param>
    public DashboardOptions AllowAnonymous(string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        AnonymousReason = reason;
        return this;
    }
}
