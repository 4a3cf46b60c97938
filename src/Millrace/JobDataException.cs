namespace Millrace;

/// <summary>JSON that cannot be stored: too large, too deep, not JSON, or with characters or numbers that a database would refuse or change. Nothing was stored.</summary>
public sealed class JobDataException : ArgumentException
{
    internal JobDataException(string jobType, string path, string limit, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        JobType = jobType;
        Path = path;
        Limit = limit;
    }

    /// <summary>The registered name of the job's type.</summary>
    public string JobType { get; }

    /// <summary>Where in the JSON, e.g. <c>$.items[3].name</c>; <c>$</c> for the whole.</summary>
    public string Path { get; }

    /// <summary>What is allowed, e.g. <c>262,144 bytes</c> or <c>no NUL character</c>.</summary>
    public string Limit { get; }
}
