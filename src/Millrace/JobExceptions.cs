namespace Millrace;

/// <summary>What is known about a submission that failed.</summary>
public enum SubmitFault
{
    /// <summary>Nothing was stored. Submit again when the database answers.</summary>
    NotStored,

    /// <summary>The connection broke at the commit: the jobs may be stored. <see cref="SubmitException.JobIds"/> tells under which ids; look them up before you submit again.</summary>
    Unknown,
}

/// <summary>The database did not answer a submission within <see cref="MillraceOptions.SubmitTimeout"/>, or refused it.</summary>
public sealed class SubmitException : Exception
{
    internal SubmitException(SubmitFault fault, IReadOnlyList<long> jobIds, string message, Exception? innerException)
        : base(message, innerException)
    {
        Fault = fault;
        JobIds = jobIds;
    }

    /// <summary>What is known about the outcome.</summary>
    public SubmitFault Fault { get; }

    /// <summary>The ids the jobs have if they were stored. At most the first 100 of a bulk.</summary>
    public IReadOnlyList<long> JobIds { get; }
}

/// <summary>A submission by name named a type that this process has no handler for.</summary>
public sealed class UnknownJobTypeException : ArgumentException
{
    internal UnknownJobTypeException(string jobType, string message) : base(message) => JobType = jobType;

    /// <summary>The name that was given.</summary>
    public string JobType { get; }
}

/// <summary>No job with this id is stored. It may have been removed after its <c>RemoveDelay</c>.</summary>
public sealed class JobNotFoundException : Exception
{
    internal JobNotFoundException(long jobId)
        : base($"Job {jobId} is not stored. It never was, or it was removed after its RemoveDelay (see MillraceOptions.RemoveDelay).") => JobId = jobId;

    /// <summary>The id that was asked for.</summary>
    public long JobId { get; }
}

/// <summary>A job whose result was waited for finished without success.</summary>
public sealed class JobFailedException : Exception
{
    internal JobFailedException(JobRecord job)
        : base($"Job {job.Id} ({job.Type}, attempt {job.Attempt}) ended as {(job.LastOutcome ?? Outcome.Discarded).ToWord()}: {job.Error ?? "no reason was given"}") => Job = job;

    /// <summary>The job as it is stored.</summary>
    public JobRecord Job { get; }
}

/// <summary>An attempt found that it had lost its lease: the job was taken back and may be running elsewhere. What it wrote in the transaction is rolled back.</summary>
public sealed class LeaseLostException : Exception
{
    internal LeaseLostException(long jobId, int run, string message) : base(message)
    {
        JobId = jobId;
        Run = run;
    }

    /// <summary>The job.</summary>
    public long JobId { get; }

    /// <summary>The run that is over.</summary>
    public int Run { get; }
}
