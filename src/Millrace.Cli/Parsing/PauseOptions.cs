using System.CommandLine;

namespace Millrace.Cli.Parsing;

/// <summary>How long a pause lasts.</summary>
internal sealed class PauseOptions
{
    public Option<string?> Until { get; } = new("--until") { HelpName = "time", Description = "When it resumes by itself, such as 2026-11-25T13:00:00Z." };

    public Option<TimeSpan?> For { get; } = GlobalOptions.Span(new("--for") { HelpName = "span", Description = "After how long it resumes by itself, such as 30m." });

    public DateTimeOffset? Read(ParseResult parsed, DateTimeOffset now)
    {
        var (text, span) = (parsed.GetValue(Until), parsed.GetValue(For));
        if (text is not null && span is not null)
            throw CommandException.Usage("--until and --for both say when it resumes. Give one of them.");
        if (text is null)
            return span is { } length ? now + length : null;
        try
        {
            var until = Spans.ParseTime(text, now, back: false);
            return until > now ? until : throw CommandException.Usage($"--until {text} is over.");
        }
        catch (FormatException exception)
        {
            throw CommandException.Usage($"--until: {exception.Message}");
        }
    }
}
