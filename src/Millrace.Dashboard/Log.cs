using Microsoft.Extensions.Logging;

namespace Millrace.Dashboard;

/// <summary>The lines that the dashboard logs. Never a token, and nothing of what is stored.</summary>
internal static partial class Log
{
    public const string Category = "Millrace.Dashboard";

    [LoggerMessage(1, LogLevel.Error, "The dashboard could not answer {Method} {Route}")]
    public static partial void Failed(ILogger logger, Exception exception, string method, string route);

    [LoggerMessage(2, LogLevel.Warning, "Everybody who reaches this application can see and change all jobs of \"{Instance}\" at {Mount}: {Reason}")]
    public static partial void Open(ILogger logger, string instance, string mount, string reason);

    [LoggerMessage(3, LogLevel.Warning, "The dashboard refused a request: {Reason}")]
    public static partial void Refused(ILogger logger, string reason);

    [LoggerMessage(4, LogLevel.Warning, "Operation {Operation} was not finished: {Reason}")]
    public static partial void Unfinished(ILogger logger, Exception? exception, long operation, string reason);

    [LoggerMessage(5, LogLevel.Debug, "The pulse of the database could not be read; it is tried again")]
    public static partial void NoPulse(ILogger logger, Exception exception);

    [LoggerMessage(6, LogLevel.Warning, "{Who} was given an export of {Jobs} jobs, and that could not be recorded")]
    public static partial void Unrecorded(ILogger logger, Exception exception, string who, int jobs);
}
