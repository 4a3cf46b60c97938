using System.Text.Json;
using Millrace.Working;

namespace Millrace.Dashboard.Showing;

/// <summary>How long a type's jobs wait before each next attempt, for a drawing. Pure.</summary>
internal static class RetryLadder
{
    private const int Longest = 20;

    /// <param name="retry">As stored in the catalogue; null for the default curve.</param>
    /// <param name="maxAttempts">How many attempts a job has.</param>
    /// <returns>Milliseconds, without the random part.</returns>
    public static IReadOnlyList<double> Of(string? retry, int maxAttempts)
    {
        var policy = Read(retry) ?? RetryPolicy.Default;
        var delays = new List<double>();
        for (var attempt = 1; attempt < maxAttempts && delays.Count < Longest; attempt++)
        {
            // In the middle of the spread.
            if (policy.NextDelay(attempt, maxAttempts, null, 0.5) is not { } delay)
                break;
            delays.Add(Math.Round(delay.TotalMilliseconds));
        }

        return delays;
    }

    private static RetryPolicy? Read(string? retry)
    {
        if (retry is null)
            return null;
        try
        {
            using var json = JsonDocument.Parse(retry);
            return RetryPolicyJson.Read(json.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
