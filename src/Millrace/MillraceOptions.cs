using System.Text.Json;

namespace Millrace;

/// <summary>Settings of one instance. Bound to the configuration section <c>Millrace</c> (or <c>Millrace:&lt;name&gt;</c> for a named instance); code given to <c>Configure</c> comes after it. Checked at start.</summary>
public sealed class MillraceOptions
{
    /// <summary>How many attempts a job has in all, unless its type or its submission says otherwise.</summary>
    /// <value>10. From 1 to 1,000.</value>
    public int MaxAttempts { get; set; } = 10;

    /// <summary>When a failed attempt is tried again, unless its type or its submission says otherwise.</summary>
    public RetryPolicy Retry { get; set; } = RetryPolicy.Default;

    /// <summary>How long one attempt may run before its token is cancelled.</summary>
    /// <value>No limit. More than zero, or <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>.</value>
    public TimeSpan Timeout { get; set; } = System.Threading.Timeout.InfiniteTimeSpan;

    /// <summary>How long a job that succeeded is kept.</summary>
    /// <value>1 hour. Zero or more; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> keeps it.</value>
    public TimeSpan RemoveDelay { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a job that finished without success is kept.</summary>
    /// <value>7 days. Zero or more; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> keeps it.</value>
    public TimeSpan FailureRemoveDelay { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The largest data of one job, in bytes of JSON.</summary>
    /// <value>262,144 (256 KB). From 1 to 1,048,576.</value>
    public int MaxDataSizeInBytes { get; set; } = 256 * 1024;

    /// <summary>How long a submission tries before it fails.</summary>
    /// <value>10 seconds. More than zero.</value>
    public TimeSpan SubmitTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How data and results become JSON. For trimmed or native programs give it a source-generated context as its resolver.</summary>
    /// <value>Web defaults (camel case, case-insensitive).</value>
    public JsonSerializerOptions Json { get; set; } = new(JsonSerializerDefaults.Web);

    /// <summary>Whether the tables are brought to this version at start.</summary>
    /// <value><see cref="SchemaChanges.Apply"/>.</value>
    public SchemaChanges SchemaChanges { get; set; } = SchemaChanges.Apply;

    /// <summary>What a submission by name does with a name that has no handler in this process, when the process has handlers.</summary>
    /// <value><see cref="UnknownTypes.Refuse"/>.</value>
    public UnknownTypes UnknownTypes { get; set; } = UnknownTypes.Refuse;

    /// <summary>The version of the application, as charts mark it when a new one comes and as the list of workers shows it. At most 100 characters; what is longer is cut.</summary>
    /// <value>Null: that of the entry assembly. Set it when that does not change with each deployment.</value>
    public string? ApplicationVersion { get; set; }

    /// <summary>When the built-in job <c>removeOldWorkerJobs</c> runs: a cron expression in UTC, or null to leave it out.</summary>
    /// <value>Every hour, at 17 minutes and 0 seconds: away from the full hour, at which everybody else's jobs run.</value>
    public string? RemoveOldWorkerJobs { get; set; } = "0 17 * * * *";
}

/// <summary>Whether Millrace changes its tables at start.</summary>
public enum SchemaChanges
{
    /// <summary>Apply what is missing, under a lock.</summary>
    Apply,

    /// <summary>Change nothing; refuse to start when something is missing.</summary>
    Check,
}

/// <summary>What to do with a submission by name whose name is not known here.</summary>
public enum UnknownTypes
{
    /// <summary>Throw <see cref="UnknownJobTypeException"/>: it is a typing error more often than not.</summary>
    Refuse,

    /// <summary>Store the job. It waits until some node has a handler of this name.</summary>
    Accept,
}
