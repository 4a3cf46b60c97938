using System.Globalization;

namespace Millrace.System.Tests;

/// <summary>How much of what takes long is done: <c>MILLRACE_TEST_SCALE</c>, 1 unless it is set.</summary>
public static class Scale
{
    public static double Factor { get; } =
        double.TryParse(Environment.GetEnvironmentVariable("MILLRACE_TEST_SCALE"), CultureInfo.InvariantCulture, out var factor) ? factor : 1;

    /// <summary>Seconds that a bound allows on top of what is promised: 2, or what MILLRACE_TEST_SLACK says for a machine that is slow or has much else to do. Bounds tell a wait that is meant from one that
    /// is not, which lasts as long as the next longer time-out (10 seconds, 30, a minute) or for ever; what was measured is printed.</summary>
    public static double Slack { get; } =
        double.TryParse(Environment.GetEnvironmentVariable("MILLRACE_TEST_SLACK"), CultureInfo.InvariantCulture, out var slack) ? slack : 2;

    /// <summary>Every point and the long times, at 4 and more.</summary>
    public static bool IsLong => Factor >= 4;
}
