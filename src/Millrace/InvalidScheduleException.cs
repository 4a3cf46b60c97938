namespace Millrace;

/// <summary>A cron expression or a time zone that cannot be used. Nothing was stored.</summary>
public sealed class InvalidScheduleException : ArgumentException
{
    internal InvalidScheduleException(string expression, string zone, string? field, string message)
        : base(message)
    {
        Expression = expression;
        Zone = zone;
        Field = field;
    }

    /// <summary>The cron expression as it was given.</summary>
    public string Expression { get; }

    /// <summary>The time zone as it was given.</summary>
    public string Zone { get; }

    /// <summary>The offending field: <c>second</c>, <c>minute</c>, <c>hour</c>, <c>day of month</c>, <c>month</c>, <c>day of week</c> or <c>time zone</c>; null when it is not one field alone.</summary>
    public string? Field { get; }
}
