using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Millrace.Dashboard.Showing;

/// <summary>How the API writes and reads JSON. Generated, so that it works in a trimmed application and never meets a type that it does not know.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 40,
    AllowDuplicateProperties = false,
    Converters = [typeof(UtcConverter)])]
[JsonSerializable(typeof(JobsAnswer))]
[JsonSerializable(typeof(JobListAnswer))]
[JsonSerializable(typeof(CountsAnswer))]
[JsonSerializable(typeof(JobAnswer))]
[JsonSerializable(typeof(AttemptsAnswer))]
[JsonSerializable(typeof(LogsAnswer))]
[JsonSerializable(typeof(ExplainAnswer))]
[JsonSerializable(typeof(FilterAnswer))]
[JsonSerializable(typeof(FilterWordsAnswer))]
[JsonSerializable(typeof(MeAnswer))]
[JsonSerializable(typeof(OverviewAnswer))]
[JsonSerializable(typeof(QueuesAnswer))]
[JsonSerializable(typeof(StatsAnswer))]
[JsonSerializable(typeof(SchedulesAnswer))]
[JsonSerializable(typeof(ScheduleAheadAnswer))]
[JsonSerializable(typeof(JobRowAnswer))]
[JsonSerializable(typeof(ExportEndAnswer))]
[JsonSerializable(typeof(WorkersAnswer))]
[JsonSerializable(typeof(TypesAnswer))]
[JsonSerializable(typeof(TypeAnswer))]
[JsonSerializable(typeof(SettingsAnswer))]
[JsonSerializable(typeof(SlowestAnswer))]
[JsonSerializable(typeof(FailuresAnswer))]
[JsonSerializable(typeof(SystemAnswer))]
[JsonSerializable(typeof(PulseAnswer))]
[JsonSerializable(typeof(ReasonRequest))]
[JsonSerializable(typeof(ChangeRequest))]
[JsonSerializable(typeof(PauseRequest))]
[JsonSerializable(typeof(RerunRequest))]
[JsonSerializable(typeof(SubmitRequest))]
[JsonSerializable(typeof(PreviewRequest))]
[JsonSerializable(typeof(StartRequest))]
[JsonSerializable(typeof(JobChangedAnswer))]
[JsonSerializable(typeof(ChangedAnswer))]
[JsonSerializable(typeof(SubmittedAnswer))]
[JsonSerializable(typeof(PreviewAnswer))]
[JsonSerializable(typeof(StartedAnswer))]
[JsonSerializable(typeof(StoppedAnswer))]
[JsonSerializable(typeof(UndoneAnswer))]
[JsonSerializable(typeof(OperationsAnswer))]
[JsonSerializable(typeof(JobOperationsAnswer))]
[JsonSerializable(typeof(OperationAnswer))]
[JsonSerializable(typeof(ProblemAnswer))]
[JsonSerializable(typeof(BootAnswer))]
[JsonSerializable(typeof(Changing.Preview))]
[JsonSerializable(typeof(JobEventAnswer))]
internal sealed partial class DashboardJson : JsonSerializerContext
{
    // Quotes as \" and letters as they are: half the size, for what is mostly JSON inside of JSON. Only where the answer is JSON and nothing takes it for a page.
    // Made when it is first used: the generated part has a static of its own that must come before.
    private static readonly Lazy<DashboardJson> wire = new(Relaxed);

    public static JsonTypeInfo<T> Of<T>() => In<T>(wire.Value);

    /// <summary>For an answer that is JSON.</summary>
    public static byte[] Bytes<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Of<T>());

    /// <summary>For a place in a page: nothing in it ends an element.</summary>
    public static string InPage<T>(T value) => JsonSerializer.Serialize(value, In<T>(Default));

    private static DashboardJson Relaxed() => new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static JsonTypeInfo<T> In<T>(DashboardJson context) =>
        (JsonTypeInfo<T>?)context.GetTypeInfo(typeof(T)) ?? throw new InvalidOperationException($"{typeof(T).Name} is missing in {nameof(DashboardJson)}.");
}

/// <summary>Times in UTC with the letter Z and microseconds, the same length always.</summary>
internal sealed class UtcConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset().ToUniversalTime();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
}
