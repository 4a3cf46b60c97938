using System.Text;
using System.Text.Json;
using Millrace.Storage;

namespace Millrace.Sqlite;

/// <summary>What the audit says of before and after, as JSON text for people.</summary>
internal static class AuditText
{
    public static string Of(Pause? pause) => Write(json =>
    {
        json.WriteBoolean("paused", pause is not null);
        if (pause?.By is not null)
            json.WriteString("by", pause.By);
        if (pause?.Reason is not null)
            json.WriteString("reason", pause.Reason);
        if (pause?.Until is { } until)
            json.WriteString("until", until);
    });

    public static string Of(SubmitAnswer answer) => Write(json =>
    {
        json.WriteString("job", $"{answer.Id}");
        json.WriteString("outcome", $"{answer.State}".ToLowerInvariant());
    });

    public static string Of(JobRow row) => Write(json =>
    {
        json.WriteString("state", JobChanges.VersionOf(JobChanges.StateOf(row.State, row.WaitsFor, row.Attempt), row.Run, row.Priority).Split('.')[0]);
        json.WriteNumber("attempt", row.Attempt);
        json.WriteNumber("priority", row.Priority);
        json.WriteString("due", row.Due);
    });

    public static string Of(JobChange change) => Write(json => json.WriteNumber("priority", change.Priority ?? 0));

    public static string Write(Action<Utf8JsonWriter> members)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }
}
