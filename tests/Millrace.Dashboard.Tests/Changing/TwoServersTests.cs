using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Dashboard.Showing;
using Millrace.Dashboard.Tests.Site;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Changing;

/// <summary>Two servers of one application, on one database and with the same keys: any of them takes a confirmation, and it begins once.</summary>
public sealed class TwoServersTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("millrace-").FullName;

    [Fact]
    public async Task A_preview_that_is_confirmed_on_two_servers_at_once_begins_once()
    {
        await using var one = await ServerAsync();
        await using var other = await ServerAsync();

        for (var round = 1; round <= 8; round++)
        {
            for (var i = 0; i < 3; i++)
                await one.Jobs.SubmitNamedAsync("t", "{}", new JobOptions { Delay = TimeSpan.FromHours(1), Tag = $"round-{round}" });
            var preview = await one.PostAsync("/jobs/api/v1/operations/preview", "operator", $$"""{"action":"cancel","q":"tag:round-{{round}}"}""");
            var confirmation = $$"""{"token":"{{preview.Json.Text("token")}}"}""";

            var answers = await Task.WhenAll(((TestSite[])[one, other, one, other]).Select(site => site.PostAsync("/jobs/api/v1/operations", "operator", confirmation)));

            answers.Select(answer => answer.Status).ShouldAllBe(status => status == 202);
            var operation = answers.Select(answer => answer.Json.Text("id")).Distinct().ShouldHaveSingleItem();
            var end = await TestSite.UntilAsync(() => other.Store.Inspection.FindOperationAsync(long.Parse(operation), CancellationToken.None), found => found!.Ended is not null);
            (end!.Done, end.Skipped, end.Error).ShouldBe((3, 0, null));
            (await one.Store.Inspection.ReadOperationsAsync(long.MaxValue, null, 100, CancellationToken.None)).Count(found => found.Kind == OperationKind.Cancel).ShouldBe(round);
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private Task<TestSite> ServerAsync() => TestSite.StartAsync(new SiteSetup
    {
        Millrace = millrace => millrace.UseSqlite(Path.Combine(folder, "shared.db")),
        Services = services => services.AddDataProtection().SetApplicationName("shop").PersistKeysToFileSystem(new DirectoryInfo(Path.Combine(folder, "keys"))),
    }.WithUsers());
}
