using Millrace.Cli.Targets;

namespace Millrace.Cli.Tests.Targets;

public sealed class TargetTests
{
    [Theory]
    [InlineData("app.db", TargetKind.Sqlite)]
    [InlineData("Data Source=app.db", TargetKind.Sqlite)]
    [InlineData("Host=localhost;Database=app", TargetKind.Postgres)]
    [InlineData("Server=localhost;Database=app", TargetKind.Postgres)]
    [InlineData("postgres://localhost/app", TargetKind.Postgres)]
    [InlineData("postgresql://u:p@localhost:5433/app?sslmode=require&application_name=x", TargetKind.Postgres)]
    internal void A_text_says_which_product_it_means(string text, TargetKind kind) => Target.Of(text, null, "test").Kind.ShouldBe(kind);

    [Theory]
    [InlineData("Password=hunter2")]
    [InlineData("Host=a;Pasword=hunter2")]
    [InlineData("postgres://u:hunter2@/x")]
    [InlineData("postgres://u:hunter2@host/x?what=ever")]
    [InlineData("=hunter2")]
    public void No_message_quotes_a_password(string text) =>
        Should.Throw<CommandException>(() => Target.Of(text, null, "test")).ToString().ShouldNotContain("hunter2");

    [Fact]
    public void A_uri_is_read_with_all_its_parts()
    {
        var settings = new Npgsql.NpgsqlConnectionStringBuilder(Target.Of("postgres://a%40b:p%3Bq@db.example:5433/my%20app?sslmode=verify-full", null, "test").Connection);

        (settings.Username, settings.Password, settings.Host, settings.Port, settings.Database, settings.SslMode).ShouldBe(("a@b", "p;q", "db.example", 5433, "my app", Npgsql.SslMode.VerifyFull));
    }

    [Theory]
    [InlineData("prod-db.example", true)]
    [InlineData("app_production", true)]
    [InlineData("profile prod", true)]
    [InlineData("live", true)]
    [InlineData("products", false)]
    [InlineData("localhost reproduction", false)]
    [InlineData("delivery", false)]
    public void Production_is_a_word(string names, bool expected) => Target.LooksLikeProduction(names).ShouldBe(expected);

    [Fact]
    public void The_first_place_that_names_a_database_wins()
    {
        using var tool = new Tool(null);
        var profiles = new ProfileFile(Path.Combine(tool.Folder, "profiles.json"));
        profiles.Put(new Profile("mine", Path.Combine(tool.Folder, "profile.db"), null, IsProduction: false, IsDefault: true));
        File.WriteAllText(Path.Combine(tool.Folder, "appsettings.json"), """{ "Millrace": { "Connection": "settings.db" } }""");
        File.WriteAllText(Path.Combine(tool.Folder, "millrace.db"), "");
        string? variable = Path.Combine(tool.Folder, "variable.db");
        TargetFinder Finder() => new(tool.Folder, profiles, name => name == TargetFinder.Variable ? variable : null);

        NameOf(Finder().Find(Path.Combine(tool.Folder, "given.db"), null, null)).ShouldBe("given.db");
        NameOf(Finder().Find(null, "mine", null)).ShouldBe("profile.db");
        NameOf(Finder().Find(null, null, null)).ShouldBe("variable.db");
        variable = null;
        NameOf(Finder().Find(null, null, null)).ShouldBe("profile.db");
        profiles.Remove("mine");
        NameOf(Finder().Find(null, null, null)).ShouldBe("settings.db");
        File.Delete(Path.Combine(tool.Folder, "appsettings.json"));
        NameOf(Finder().Find(null, null, null)).ShouldBe("millrace.db");
    }

    [Fact]
    public void User_secrets_of_the_project_in_the_folder_come_before_its_settings()
    {
        using var tool = new Tool(null);
        File.WriteAllText(Path.Combine(tool.Folder, "App.csproj"), "<Project><PropertyGroup><UserSecretsId>abc</UserSecretsId></PropertyGroup></Project>");
        File.WriteAllText(Path.Combine(tool.Folder, "appsettings.json"), """{ "Millrace": { "Connection": "settings.db" } }""");
        var secrets = Path.Combine(tool.Folder, ".microsoft", "usersecrets", "abc");
        Directory.CreateDirectory(secrets);
        File.WriteAllText(Path.Combine(secrets, "secrets.json"), """{ "ConnectionStrings:Millrace": "secret.db" }""");

        var target = new TargetFinder(tool.Folder, new ProfileFile(Path.Combine(tool.Folder, "none.json")), name => name == "HOME" ? tool.Folder : null).Find(null, null, null);

        NameOf(target).ShouldBe("secret.db");
        target.Source.ShouldBe("user secrets, ConnectionStrings:millrace");
    }

    private static string NameOf(Target target) => Path.GetFileName(target.Connection);
}
