using System.Text.Json;

namespace Millrace.Cli.Submitting;

/// <summary>The data of a submission: JSON as it stands, <c>@file</c>, or <c>-</c> for standard input.</summary>
internal static class DataText
{
    // The store's limit with room for white space; whoever pipes a film into it should not fill the memory.
    private const int Longest = 4 * 1024 * 1024;

    public static async Task<string> ReadAsync(Invocation invocation, string? text)
    {
        var json = text switch
        {
            null => "null",
            "-" => await ReadAsync(invocation.Terminal.In, "standard input", invocation.Token).ConfigureAwait(false),
            ['@', .. var path] => await ReadFileAsync(path, invocation.Token).ConfigureAwait(false),
            _ => text,
        };
        try
        {
            using var document = JsonDocument.Parse(json);
            return json.Trim();
        }
        catch (JsonException exception)
        {
            throw CommandException.Usage($"The data is not JSON: {exception.Message}");
        }
    }

    private static async Task<string> ReadFileAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var reader = new StreamReader(path);
            return await ReadAsync(reader, path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"The data's file cannot be read: {exception.Message}");
        }
    }

    private static async Task<string> ReadAsync(TextReader reader, string name, CancellationToken cancellationToken)
    {
        var buffer = new char[Longest + 1];
        var length = await reader.ReadBlockAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
        return length <= Longest ? new string(buffer, 0, length) : throw CommandException.Usage($"The data from {name} is longer than {Longest:N0} characters.");
    }
}
