using System.Text;
using Millrace.Dashboard.Showing;

namespace Millrace.Dashboard.Watching;

/// <summary>An event as it goes over the wire. The data is JSON in one line.</summary>
internal sealed record ServerSentEvent(byte[] Bytes)
{
    public static ServerSentEvent Ping { get; } = new("event: ping\ndata: {}\n\n"u8.ToArray());

    public static ServerSentEvent Of<T>(string name, T data, string? id = null) =>
        new([.. Encoding.UTF8.GetBytes($"{(id is null ? "" : $"id: {id}\n")}event: {name}\ndata: "), .. DashboardJson.Bytes(data), .. "\n\n"u8]);
}
