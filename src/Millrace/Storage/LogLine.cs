using Microsoft.Extensions.Logging;

namespace Millrace.Storage;

/// <summary>One line that some <c>ILogger</c> wrote during an attempt.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Run">Its run.</param>
/// <param name="Line">The line's number within the run, from 1. With job and run, its key.</param>
/// <param name="At">When it was written, by the store's clock.</param>
/// <param name="Level">How important it is.</param>
/// <param name="Category">Which logger wrote it.</param>
/// <param name="Message">The text, sanitised.</param>
/// <param name="Properties">The named values of its template as a JSON object; null for none.</param>
/// <param name="Exception">The exception's text, sanitised; null for none.</param>
public sealed record LogLine(
    long JobId, int Run, int Line, DateTimeOffset At, LogLevel Level, string Category, string Message, string? Properties, string? Exception);
