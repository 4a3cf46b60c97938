using System.Text;

namespace Millrace.Dashboard.Serving;

/// <summary>The web application: what was built into this assembly as resources named <c>web/…</c>. Where Node was missing at the build it is one page that says so.</summary>
internal static class WebFiles
{
    private const string Beginning = "web/";
    private const string Index = "index.html";

    private static readonly Lazy<Dictionary<string, WebFile>> files = new(Read);

    private static readonly Lazy<string> shell = new(() => Encoding.UTF8.GetString(files.Value[Index].Plain()));

    /// <summary>The page that starts the web application, before it is told where it is.</summary>
    public static string Shell => shell.Value;

    public static WebFile? Find(string path) => path != Index && files.Value.TryGetValue(path, out var file) ? file : null;

    private static Dictionary<string, WebFile> Read()
    {
        var found = new Dictionary<string, WebFile>(StringComparer.Ordinal);
        var assembly = typeof(WebFiles).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            var name = resource.Replace('\\', '/');
            if (!name.StartsWith(Beginning, StringComparison.Ordinal))
                continue;
            using var stream = assembly.GetManifestResourceStream(resource);
            if (stream is null)
                continue;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            var (path, encoding) = Split(name[Beginning.Length..]);
            if (!found.TryGetValue(path, out var file))
                found[path] = file = new WebFile(path);
            file.Add(encoding, bytes);
        }

        return found;
    }

    private static (string Path, string Encoding) Split(string name) => Path.GetExtension(name) switch
    {
        ".br" => (name[..^3], "br"),
        ".gz" => (name[..^3], "gzip"),
        _ => (name, ""),
    };
}
