namespace Millrace.Inspecting;

/// <summary>A cron expression in words, for people. Pure.</summary>
internal static class CronWords
{
    /// <summary>Such as "every 15 minutes" or "at 02:00 on weekdays"; the expression itself when it is too special for words.</summary>
    public static string Say(string cron) => throw new NotImplementedException();
}
