using System.Buffers.Text;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Millrace.Dashboard.Serving;

/// <summary>A file of the web application, as it is embedded: plain, or compressed, or several of these.</summary>
internal sealed class WebFile(string path)
{
    private readonly Dictionary<string, byte[]> forms = new(StringComparer.Ordinal);

    public string ContentType { get; } = Path.GetExtension(path) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" or ".mjs" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".json" or ".map" => "application/json",
        ".webmanifest" => "application/manifest+json",
        ".svg" => "image/svg+xml",
        ".png" => "image/png",
        ".ico" => "image/x-icon",
        ".woff2" => "font/woff2",
        ".txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };

    /// <summary>Whether its name changes with its content: what the build puts into <c>assets</c>.</summary>
    public bool IsHashed { get; } = path.StartsWith("assets/", StringComparison.Ordinal);

    public string Tag => field ??= $"\"{Base64Url.EncodeToString(SHA256.HashData(Plain()).AsSpan(0, 15))}\"";

    public void Add(string encoding, byte[] bytes) => forms[encoding] = bytes;

    /// <summary>The smallest form that the browser takes.</summary>
    /// <param name="accepted">Its <c>Accept-Encoding</c>.</param>
    public (byte[] Bytes, string? Encoding) For(string accepted)
    {
        foreach (var encoding in new[] { "br", "gzip" })
        {
            if (forms.TryGetValue(encoding, out var bytes) && Takes(accepted, encoding))
                return (bytes, encoding);
        }

        return (Plain(), null);
    }

    public byte[] Plain()
    {
        if (forms.TryGetValue("", out var plain))
            return plain;
        using var decoded = new MemoryStream();
        using (Stream stream = forms.TryGetValue("br", out var br)
            ? new BrotliStream(new MemoryStream(br), CompressionMode.Decompress)
            : new GZipStream(new MemoryStream(forms["gzip"]), CompressionMode.Decompress))
        {
            stream.CopyTo(decoded);
        }

        return decoded.ToArray();
    }

    private static bool Takes(string accepted, string encoding) => accepted.Split(',').Any(part =>
        part.Split(';') is [var name, .. var rest] && name.Trim() == encoding && !rest.Any(one => one.Trim() is "q=0" or "q=0.0" or "q=0.00" or "q=0.000"));
}
