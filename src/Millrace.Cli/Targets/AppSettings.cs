using System.Text.Json;
using System.Xml;
using System.Xml.Linq;

namespace Millrace.Cli.Targets;

/// <summary>
/// One of the files in which an application keeps its connection string. Read by hand: the configuration library would take longer to start than the rest of the tool.
/// </summary>
internal sealed class AppSettings
{
    /// <summary>What is looked for in each file, in this order.</summary>
    public static readonly IReadOnlyList<string> Keys = ["Millrace:Connection", "ConnectionStrings:millrace"];

    private readonly Dictionary<string, string> values = new(StringComparer.OrdinalIgnoreCase);

    private AppSettings(string name) => Name = name;

    public string Name { get; }

    /// <summary>All settings, by their path.</summary>
    public IReadOnlyDictionary<string, string> Values => values;

    /// <summary>Why it could not be read; null when it could.</summary>
    public string? Fault { get; private set; }

    /// <summary>The files of the application in a folder, the one that counts most first: user secrets (which are for development alone), appsettings of the environment, appsettings.</summary>
    public static IEnumerable<AppSettings> Of(string folder, Func<string, string?> environment)
    {
        var name = environment("DOTNET_ENVIRONMENT") ?? environment("ASPNETCORE_ENVIRONMENT");
        if (name is null or "" or "Development" && SecretsOf(folder, environment) is { } secrets)
            yield return Read("user secrets", secrets);
        if (!string.IsNullOrEmpty(name) && name.IndexOfAny(Path.GetInvalidFileNameChars()) < 0)
            yield return Read($"appsettings.{name}.json", Path.Combine(folder, $"appsettings.{name}.json"));
        yield return Read("appsettings.json", Path.Combine(folder, "appsettings.json"));
    }

    public (string Key, string Text)? FindConnection()
    {
        foreach (var key in Keys)
        {
            if (Find(key) is { Length: > 0 } text)
                return (key, text);
        }

        return null;
    }

    public string? Find(string key) => values.GetValueOrDefault(key);

    private static AppSettings Read(string name, string path)
    {
        var settings = new AppSettings(name);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            settings.Flatten("", document.RootElement);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            settings.Fault = "not there";
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            settings.Fault = "cannot be read";
        }

        return settings;
    }

    private void Flatten(string path, JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in element.EnumerateObject())
                Flatten(path.Length == 0 ? member.Name : $"{path}:{member.Name}", member.Value);
        }
        else if (element.ValueKind != JsonValueKind.Array && element.ValueKind != JsonValueKind.Null)
        {
            values[path] = element.ToString();
        }
    }

    // Where dotnet user-secrets keeps them, for the project in this folder.
    private static string? SecretsOf(string folder, Func<string, string?> environment)
    {
        var id = Directory.EnumerateFiles(folder, "*.*proj").Select(IdOf).FirstOrDefault(found => found is not null);
        if (id is null)
            return null;
        var home = environment("APPDATA") is { Length: > 0 } windows
            ? Path.Combine(windows, "Microsoft", "UserSecrets")
            : Path.Combine(environment("HOME") ?? "", ".microsoft", "usersecrets");
        return Path.Combine(home, id, "secrets.json");
    }

    private static string? IdOf(string project)
    {
        try
        {
            var id = XDocument.Load(project).Descendants().FirstOrDefault(element => element.Name.LocalName == "UserSecretsId")?.Value.Trim();
            return string.IsNullOrEmpty(id) || id.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0 ? null : id;
        }
        catch (Exception exception) when (exception is XmlException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
