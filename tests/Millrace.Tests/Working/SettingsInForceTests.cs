using Millrace.Inspecting;
using Millrace.Postgres;
using Millrace.Sqlite;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class SettingsInForceTests
{
    /// <summary>A new option is either told or named here, with a reason.</summary>
    [Fact]
    public void Every_option_is_told()
    {
        // How JSON is written is an object with dozens of members of its own.
        Names(SettingsInForce.Of(new MillraceOptions()), "Millrace").ShouldBe(Options<MillraceOptions>().Except(["Json"]), ignoreOrder: true);
        Names(SettingsInForce.Of(new WorkerOptions(), null), "Workers").ShouldBe(Options<WorkerOptions>(), ignoreOrder: true);
        Names(new PostgresOptions().InForce(), "Postgres").ShouldBe(Options<PostgresOptions>(), ignoreOrder: true);
    }

    [Fact]
    public void What_nobody_set_is_default_and_the_rest_says_who_set_it()
    {
        SettingsInForce.Of(new MillraceOptions()).Concat(SettingsInForce.Of(new WorkerOptions(), null)).ShouldAllBe(setting => setting.Source == SettingSource.Default);
        SettingsInForce.Of(new MillraceOptions { Timeout = TimeSpan.FromMinutes(2) }).ShouldContain(new Setting("Millrace.Timeout", "00:02:00", SettingSource.Application));
        SettingsInForce.Of(new MillraceOptions()).ShouldContain(new Setting("Millrace.Timeout", "infinite", SettingSource.Default));
        var workers = new WorkerOptions { Processes = 3, Queues = { ["mail"] = new QueueOptions { Concurrency = 2 }, ["default"] = new QueueOptions() } };
        SettingsInForce.Of(workers, "3").ShouldContain(new Setting("Workers.Processes", "3", SettingSource.Environment));
        SettingsInForce.Of(workers, null).ShouldContain(new Setting("Workers.Queues", "default: 10, mail: 2", SettingSource.Application));
    }

    [Fact]
    public void They_are_read_as_they_were_written()
    {
        Setting[] settings = [new("A.B", "a \"b\" \u202e", SettingSource.Application), new("C", "none", SettingSource.Environment)];
        SettingText.Read(SettingText.Write(settings)).ShouldBe(settings);
        Should.NotThrow(() => SettingText.Write([new("A", "half \ud800 \0", SettingSource.Default)]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1, null, {}, [], {\"name\": 1, \"value\": \"x\"}]")]
    [InlineData("[{\"name\": \"\\ud800\", \"value\": \"x\"}]")]
    public void What_is_no_such_text_is_nothing(string text) => SettingText.Read(text).ShouldBeEmpty();

    [Fact]
    public void No_part_of_a_connection_string_is_told_by_a_store()
    {
        var settings = new PostgresOptions().InForce();
        settings.ShouldAllBe(setting => !setting.Value.Contains("Host", StringComparison.OrdinalIgnoreCase));
        settings.Select(setting => setting.Name).ShouldNotContain(name => name.Contains("Connection", StringComparison.Ordinal) && name != "Postgres.HandlerConnections");
    }

    private static IEnumerable<string> Names(IEnumerable<Setting> settings, string section) => settings.Select(setting => setting.Name.Replace(section + ".", "", StringComparison.Ordinal));

    private static IEnumerable<string> Options<T>() => typeof(T).GetProperties().Select(property => property.Name);
}
