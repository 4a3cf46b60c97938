using System.Globalization;

namespace Millrace.System.Tests;

/// <summary>How much of what takes long is done: <c>MILLRACE_TEST_SCALE</c>, 1 unless it is set.</summary>
public static class Scale
{
    public static double Factor { get; } =
        double.TryParse(Environment.GetEnvironmentVariable("MILLRACE_TEST_SCALE"), CultureInfo.InvariantCulture, out var factor) ? factor : 1;

    /// <summary>Every point and the long times, at 4 and more.</summary>
    public static bool IsLong => Factor >= 4;
}
