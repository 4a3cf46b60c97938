using System.Text;
using Millrace.Dashboard.Showing;
using Millrace.Dashboard.Tests.Site;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Routes;

/// <summary>A list as a file: what it holds, what it must not hold, and where it ends.</summary>
public sealed class ExportTests
{
    private const string Export = "/jobs/api/v1/jobs/export";

    [Fact]
    public async Task A_list_becomes_a_file_for_a_spreadsheet_with_what_may_be_seen()
    {
        var operations = new FakeOperations();
        await using var site = await StartAsync(new FakeInspection("Zoë, \"x\"") { Data = """{"path":"a","password":"hunter2"}""" }, operations);

        var file = await site.GetAsync($"{Export}?q=state:failed&format=csv");

        (file.Status, file.Header("Content-Type"), file.Header("Content-Disposition")).ShouldBe((200, "text/csv; charset=utf-8; header=present", "attachment; filename=\"jobs.csv\""));
        var lines = file.Text.TrimStart('\ufeff').TrimEnd().Split("\r\n");
        lines[0].ShouldBe(CsvLine.Head);
        lines.Length.ShouldBe(3, "both pages");
        lines[1].ShouldStartWith("9007199254740993,\"t\",\"Zoë, \"\"x\"\"\",7,");
        lines[1].ShouldContain($"\"\"password\"\":\"\"{Redactor.Blank}\"\"");
        file.Text.ShouldNotContain("hunter2");
        var record = operations.Asked.Single();
        (record.Kind, record.Author.Name, record.Target).ShouldBe((OperationKind.Export, "viewer", """state:failed {"jobs":2,"isWhole":true}"""));
    }

    [Fact]
    public async Task A_list_becomes_an_object_in_each_line_for_a_program()
    {
        await using var site = await StartAsync();

        var file = await site.GetAsync($"{Export}?format=ndjson");

        file.Header("Content-Type").ShouldBe("application/x-ndjson; charset=utf-8");
        var lines = file.Text.TrimEnd().Split('\n');
        lines.Length.ShouldBe(2);
        lines.ShouldAllBe(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("id").GetString() == "9007199254740993");
    }

    [Fact]
    public async Task What_is_wrong_is_said_before_the_file_begins()
    {
        var operations = new FakeOperations();
        var inspection = new FakeInspection();
        await using var site = await StartAsync(inspection, operations);

        (await site.GetAsync($"{Export}?q=state:sleeping")).Code.ShouldBe("bad_filter");
        (await site.GetAsync($"{Export}?format=xls")).Code.ShouldBe("out_of_bounds");
        inspection.Fault = new StoreException(StoreFault.Unavailable, "away", null);
        (await site.GetAsync(Export)).Code.ShouldBe("database_away");
        operations.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_link_on_another_site_begins_none()
    {
        await using var site = await StartAsync();

        foreach (var from in (string[])["cross-site", "same-site"])
            (await site.GetAsync(Export, change: request => request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", from))).Code.ShouldBe("cross_site");
        (await site.GetAsync(Export, change: request => request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "none"))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Two_go_on_at_a_time()
    {
        var gate = new TaskCompletionSource();
        var inspection = new FakeInspection { Gate = gate.Task };
        await using var site = await StartAsync(inspection);
        Task<Answer>[] two = [site.GetAsync(Export), site.GetAsync(Export)];
        await TestSite.UntilAsync(() => Task.FromResult(inspection.Asked), asked => asked >= 2);

        (await site.GetAsync(Export)).Code.ShouldBe("too_many_exports");
        gate.SetResult();
        (await Task.WhenAll(two)).ShouldAllBe(answer => answer.Status == 200);
    }

    [Theory]
    [InlineData("=1+2", "'=1+2")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("  =1", "'  =1")]
    [InlineData("\u00a0=1", "'\u00a0=1")]
    [InlineData("\uff1d1", "'\uff1d1")]
    [InlineData("\r=1", "'\r=1")]
    [InlineData("a=1", "a=1")]
    [InlineData("say \"hi\"", "say \"\"hi\"\"")]
    [InlineData("a\0b\u001b", "a\ufffdb\ufffd")]
    public void No_cell_is_a_formula(string text, string cell)
    {
        var line = new StringBuilder();

        CsvLine.Write(line, Row(text));

        line.ToString().ShouldBe($"5,\"t\",\"{cell}\",7,\"q\",-3,failed,,1,1,2026-11-25 13:00:00.000,2026-11-25 13:00:00.000,,,,,,,,\"{{}}\",\r\n");
    }

    private static JobRowAnswer Row(string tag) => new()
    {
        Id = "5", Type = Shown.Of("t", text => text), Tag = Shown.Of(tag, text => text), UserId = "7", Queue = Shown.Of("q", text => text), Priority = -3, State = "failed", Run = 1, Attempt = 1,
        Due = FakeInspection.Now, Created = FakeInspection.Now, Data = Shown.Of("{}", text => text),
    };

    private static Task<TestSite> StartAsync(FakeInspection? inspection = null, FakeOperations? operations = null) =>
        TestSite.StartAsync(new SiteSetup { Inspection = inspection ?? new FakeInspection(), Operations = operations ?? new FakeOperations() }.WithUsers());
}
