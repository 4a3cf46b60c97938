using System.Text.Json;
using Microsoft.Extensions.Logging;
using Millrace.Working;

namespace Millrace.Telemetry;

/// <summary>A logger provider that keeps what is logged during an attempt, through whatever logger, together with the attempt.</summary>
[ProviderAlias("Millrace")]
internal sealed class AttemptLogProvider : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(string category) : ILogger
    {
        // The engine's own lines about its work belong to the application's log, not to a job's.
        private readonly bool isEngine = category == Telemetry.Log.Category;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && !isEngine && AttemptLog.Current is not null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel) || AttemptLog.Current is not { } lines)
                return;
            lines.Add(
                logLevel,
                category,
                Sanitiser.Text(formatter(state, exception), Sanitiser.MaxErrorInBytes),
                WriteProperties(state),
                exception is null ? null : ErrorText.Of(exception));
        }

        private static string? WriteProperties<TState>(TState state)
        {
            if (state is not IReadOnlyList<KeyValuePair<string, object?>> { Count: > 1 } properties)
                return null;
            var buffer = new System.Buffers.ArrayBufferWriter<byte>(256);
            using (var json = new Utf8JsonWriter(buffer))
            {
                json.WriteStartObject();
                foreach (var (name, value) in properties)
                {
                    if (name != "{OriginalFormat}")
                        WriteValue(json, Sanitiser.Text(name, 200), value);
                }
                json.WriteEndObject();
            }
            return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
        }

        private static void WriteValue(Utf8JsonWriter json, string name, object? value)
        {
            switch (value)
            {
                case null:
                    json.WriteNull(name);
                    break;
                case bool flag:
                    json.WriteBoolean(name, flag);
                    break;
                case int number:
                    json.WriteNumber(name, number);
                    break;
                case long number:
                    json.WriteNumber(name, number);
                    break;
                case double number when double.IsFinite(number):
                    json.WriteNumber(name, number);
                    break;
                case decimal number:
                    json.WriteNumber(name, number);
                    break;
                default:
                    // ToString of a user's type may throw; a log call must not.
                    string text;
                    try
                    {
                        text = Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "";
                    }
                    catch (Exception exception)
                    {
                        text = $"({value.GetType().Name}.ToString() threw {exception.GetType().Name})";
                    }
                    json.WriteString(name, Sanitiser.Text(text, 4096));
                    break;
            }
        }
    }
}
