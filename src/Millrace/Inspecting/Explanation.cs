namespace Millrace.Inspecting;

/// <summary>Why a job is where it is, for people.</summary>
/// <param name="JobId">The job.</param>
/// <param name="State">Its state in a word: ready, scheduled, retrying, waiting, quarantined, running, succeeded, failed, cancelled or deleted.</param>
/// <param name="Code">A stable name of what the headline says, such as <c>due_later</c>.</param>
/// <param name="Headline">Why it is not running, or what happened: the reason that matters most, in a sentence or two.</param>
/// <param name="Reasons">What else there is to it, in the order of weight. The headline is not among them.</param>
/// <param name="WouldRunAt">About when it would run if nothing else changes; null when that cannot be said, or it has finished.</param>
/// <param name="Advice">What to do, one sentence each.</param>
internal sealed record Explanation(long JobId, string State, string Code, string Headline, IReadOnlyList<Reason> Reasons, DateTimeOffset? WouldRunAt, IReadOnlyList<Advice> Advice);

/// <summary>One reason.</summary>
/// <param name="Code">A stable name, such as <c>due_later</c>.</param>
/// <param name="Text">One sentence.</param>
internal sealed record Reason(string Code, string Text);

/// <summary>What to do.</summary>
/// <param name="Text">One sentence.</param>
/// <param name="Command">The command line that does it, without the program's name; null when none does.</param>
internal sealed record Advice(string Text, string? Command);
