using System.Text.Json;
using Millrace.Cli.Output;

namespace Millrace.Cli.Targets;

/// <summary>A database that was given a name.</summary>
internal sealed record Profile(string Name, string Connection, string? Schema, bool IsProduction, bool IsDefault);

/// <summary>The user's profiles. They may hold passwords, so nobody but the user may read the file.</summary>
internal sealed class ProfileFile(string path)
{
    private Dictionary<string, Profile>? profiles;

    public string Path => path;

    public IEnumerable<string> Names => Profiles.Keys.Order(StringComparer.Ordinal);

    public IEnumerable<Profile> All => Profiles.Values.OrderBy(profile => profile.Name, StringComparer.Ordinal);

    /// <summary>The profile that is meant when none is named; null for none.</summary>
    public string? Default => Profiles.Values.FirstOrDefault(profile => profile.IsDefault)?.Name;

    private Dictionary<string, Profile> Profiles => profiles ??= Read();

    public static ProfileFile OfUser()
    {
        var folder = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } given
            ? given
            : Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return new ProfileFile(System.IO.Path.Combine(folder, "millrace", "profiles.json"));
    }

    public Profile? Find(string name) => Profiles.GetValueOrDefault(name);

    public void Put(Profile profile)
    {
        if (profile.IsDefault)
        {
            foreach (var other in Profiles.Values.ToList())
                Profiles[other.Name] = other with { IsDefault = false };
        }

        Profiles[profile.Name] = profile;
        Write();
    }

    public bool Remove(string name)
    {
        if (!Profiles.Remove(name))
            return false;
        Write();
        return true;
    }

    private Dictionary<string, Profile> Read()
    {
        var found = new Dictionary<string, Profile>(StringComparer.Ordinal);
        try
        {
            if (!File.Exists(path))
                return found;
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            foreach (var member in document.RootElement.GetProperty("profiles").EnumerateObject())
            {
                found[member.Name] = new Profile(
                    member.Name,
                    member.Value.GetProperty("connection").GetString() ?? "",
                    member.Value.TryGetProperty("schema", out var schema) ? schema.GetString() : null,
                    member.Value.TryGetProperty("isProduction", out var production) && production.GetBoolean(),
                    member.Value.TryGetProperty("isDefault", out var standard) && standard.GetBoolean());
            }
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"The profiles in {path} cannot be read: {exception.Message} Mend the file, or delete it.");
        }

        return found;
    }

    // Written beside and moved into place: a crash leaves the old file.
    private void Write()
    {
        var entries = new Members();
        foreach (var profile in All)
            entries.Add(profile.Name, new Members { { "connection", profile.Connection }, { "schema", profile.Schema }, { "isProduction", profile.IsProduction ? true : null }, { "isDefault", profile.IsDefault ? true : null } });
        var text = JsonDocumentWriter.Write(new Members { { "profiles", entries } }, indented: true);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path) ?? ".");
        var beside = $"{path}.{Environment.ProcessId}";
        using (var writer = new StreamWriter(beside, options))
            writer.WriteLine(text);
        File.Move(beside, path, overwrite: true);
    }
}
