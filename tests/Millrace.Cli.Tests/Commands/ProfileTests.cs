namespace Millrace.Cli.Tests.Commands;

public sealed class ProfileTests
{
    [Fact]
    public async Task A_profile_keeps_a_database_and_shows_no_password()
    {
        using var tool = new Tool(null);

        (await tool.RunAsync("profile", "add", "shop", "postgres://app:hunter2@db.example:5433/shop", "--default", "--schema", "work")).Code.ShouldBe(0);

        var file = Path.Combine(tool.Folder, ".config", "millrace", "profiles.json");
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var list = await tool.RunAsync("profile", "list", "--json");
        Snapshot.Match(list.Out.Replace("hunter2", "HUNTER2", StringComparison.Ordinal), "profiles");
        list.Out.ShouldNotContain("hunter2");
        var config = await tool.RunAsync("config", "show");
        config.Out.ShouldContain("PostgreSQL db.example:5433/shop, schema work");
        config.Out.ShouldContain("profile shop");
        config.ToString().ShouldNotContain("hunter2");
        (await tool.RunAsync("profile", "remove", "shop")).Code.ShouldBe(0);
        (await tool.RunAsync("config", "show")).Code.ShouldBe(3);
    }

    [Fact]
    public async Task The_settings_of_the_application_in_the_folder_are_found()
    {
        using var tool = new Tool(null);
        await File.WriteAllTextAsync(Path.Combine(tool.Folder, "appsettings.json"), """{ "ConnectionStrings": { "millrace": "jobs.db" }, /* with a comment */ }""", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(tool.Folder, "appsettings.Production.json"), """{ "Millrace": { "Connection": "Host=db;Password=hunter2;Database=shop", "Schema": "work" } }""", TestContext.Current.CancellationToken);

        (await tool.RunAsync("config", "show")).Out.ShouldContain($"SQLite {tool.Folder}/jobs.db");
        var production = await tool.RunAsync(null, ["config", "show"], new Dictionary<string, string> { ["DOTNET_ENVIRONMENT"] = "Production" });
        production.Out.ShouldContain("PostgreSQL db:5432/shop, schema work");
        production.Out.ShouldContain("yes: changes ask first");
        production.Out.ShouldNotContain("hunter2");
    }
}
