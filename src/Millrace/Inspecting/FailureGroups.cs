using Millrace.Storage;

namespace Millrace.Inspecting;

/// <summary>Failures that have one cause, as far as their texts tell.</summary>
/// <param name="Fingerprint">Stable over restarts: 16 characters from a hash of type, kind of error, message without what varies, and the topmost frame of the application's own code.</param>
/// <param name="Type">The type of the jobs.</param>
/// <param name="Title">The error in a line, with what varies left out and secrets blanked.</param>
/// <param name="Sample">The newest error, its beginning, secrets blanked.</param>
/// <param name="SampleJob">The job of that one.</param>
/// <param name="Count">How many attempts.</param>
/// <param name="Jobs">How many jobs.</param>
/// <param name="First">The first of those that were read.</param>
/// <param name="Last">The newest.</param>
/// <param name="Trend">Counts over equal spans from since to now, oldest first.</param>
/// <param name="Filter">The filter that finds its jobs.</param>
internal sealed record FailureGroup(
    string Fingerprint, string Type, string Title, string Sample, long SampleJob, long Count, long Jobs, DateTimeOffset First, DateTimeOffset Last, IReadOnlyList<long> Trend, string Filter)
{
    /// <summary>Groups failures, the one with the most first.</summary>
    /// <param name="failures">Newest first.</param>
    /// <param name="since">Where the trend begins.</param>
    /// <param name="now">Where it ends.</param>
    /// <param name="spans">How many counts a trend has.</param>
    public static IReadOnlyList<FailureGroup> Group(IReadOnlyList<FailureRow> failures, DateTimeOffset since, DateTimeOffset now, int spans = 24)
    {
        var groups = new Dictionary<string, Gathered>();
        // The same text again and again is the common case, and the same but for its numbers the next one.
        var known = new Dictionary<(string Type, string Error), Gathered>();
        var shapes = new Dictionary<(string Type, string Pattern, string Frame), Gathered>();
        foreach (var failure in failures)
        {
            if (!known.TryGetValue((failure.Type, failure.Error), out var group))
            {
                var shape = ErrorShape.Of(failure.Error);
                if (!shapes.TryGetValue((failure.Type, shape.Pattern, shape.Frame), out group))
                {
                    var fingerprint = shape.Fingerprint(failure.Type);
                    if (!groups.TryGetValue(fingerprint, out group))
                        groups[fingerprint] = group = new Gathered(fingerprint, shape, failure, spans);
                    shapes[(failure.Type, shape.Pattern, shape.Frame)] = group;
                }

                known[(failure.Type, failure.Error)] = group;
            }

            group.Add(failure, SpanOf(failure.Finished, since, now, spans));
        }

        return [.. groups.Values.OrderByDescending(group => group.Count).ThenByDescending(group => group.Last).Select(group => group.Close())];
    }

    private static int SpanOf(DateTimeOffset at, DateTimeOffset since, DateTimeOffset now, int spans) =>
        now <= since ? 0 : (int)Math.Clamp((at - since) / (now - since) * spans, 0, spans - 1);

    /// <summary>A group that grows.</summary>
    private sealed class Gathered(string fingerprint, ErrorShape shape, FailureRow newest, int spans)
    {
        private const int LongestTitle = 200;

        private readonly HashSet<long> jobs = [];
        private readonly long[] trend = new long[spans];
        private DateTimeOffset first = newest.Finished;

        public long Count { get; private set; }

        public DateTimeOffset Last { get; private set; } = newest.Finished;

        public void Add(FailureRow failure, int span)
        {
            Count++;
            jobs.Add(failure.JobId);
            trend[span]++;
            first = failure.Finished < first ? failure.Finished : first;
            Last = failure.Finished > Last ? failure.Finished : Last;
        }

        public FailureGroup Close() => new(
            fingerprint, newest.Type, TitleOf(shape.Pattern), Redactor.Text(newest.Error), newest.JobId, Count, jobs.Count, first, Last, trend, FilterOf(newest.Type, shape));

        private static string TitleOf(string pattern) =>
            pattern.Length == 0 ? "An error without a text" : pattern.Length <= LongestTitle ? pattern : Spoken.Cut(pattern, LongestTitle) + "…";

        /// <summary>The type, and the longest part of the error's first line that fits.</summary>
        private static string FilterOf(string type, ErrorShape shape)
        {
            var byType = FilterText.Of(new TextTerm(TextField.Type, TextMatch.Exact, [type]));
            for (var most = 100; most >= 10; most /= 2)
            {
                if (shape.LongestConstant(most) is not { } part)
                    break;
                var filter = $"{byType} {FilterText.Of(new TextTerm(TextField.Error, TextMatch.Contains, [part]))}";
                if (filter.Length <= FilterParser.Longest)
                    return filter;
            }

            return byType;
        }
    }
}
