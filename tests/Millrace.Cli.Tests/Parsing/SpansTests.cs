using Millrace.Cli.Parsing;

namespace Millrace.Cli.Tests.Parsing;

public sealed class SpansTests
{
    private static readonly DateTimeOffset now = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("90s", 90)]
    [InlineData("10m", 600)]
    [InlineData("1h30m", 5400)]
    [InlineData("2d", 172800)]
    [InlineData("1w", 604800)]
    [InlineData("00:10:00", 600)]
    public void A_span_is_read(string text, double seconds) => Spans.Parse(text).TotalSeconds.ShouldBe(seconds);

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("m")]
    [InlineData("10 m")]
    [InlineData("-5m")]
    [InlineData("10parsecs")]
    [InlineData("99999999999s")]
    public void What_is_no_span_is_refused(string text) => Should.Throw<FormatException>(() => Spans.Parse(text)).Message.ShouldContain($"\"{text}\"");

    [Theory]
    [InlineData("2026-07-02T10:00:00Z", "2026-07-02T10:00:00Z")]
    [InlineData("2026-07-02T10:00:00+02:00", "2026-07-02T08:00:00Z")]
    [InlineData("30m", "2026-07-01T12:30:00Z")]
    public void A_time_is_read(string text, string expected) => Spans.ParseTime(text, now, back: false).ShouldBe(DateTimeOffset.Parse(expected));
}
