namespace Millrace;

/// <summary>What became of a request to cancel a job.</summary>
public enum CancelResult
{
    /// <summary>The job was pending and is cancelled now. It will not run.</summary>
    Cancelled,

    /// <summary>The job runs. Its token was asked to cancel; if the handler completes all the same, the job succeeds.</summary>
    Asked,

    /// <summary>The job had finished before. Nothing was changed.</summary>
    Finished,

    /// <summary>No such job is stored. It may have been removed.</summary>
    Unknown,
}

/// <summary>What became of a request to run a finished or waiting job again.</summary>
public enum RetryResult
{
    /// <summary>The job is ready, with all its attempts before it.</summary>
    Ready,

    /// <summary>The job runs, and was left alone.</summary>
    Running,

    /// <summary>A newer job holds the key (tag) of this one. Nothing was changed.</summary>
    KeyIsTaken,

    /// <summary>No such job is stored. It may have been removed.</summary>
    Unknown,
}
