using System.Diagnostics;
using Microsoft.Playwright;
using Millrace.Dashboard.Tests.Site;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Browser;

/// <summary>What happens is on the screen as it happens.</summary>
[Collection(ChromeCollection.Name)]
public sealed class LiveTests(Chrome chrome)
{
    [Fact]
    public async Task A_job_goes_from_ready_to_done_on_the_screen_within_a_second()
    {
        await using var shop = await Shop.OpenAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "jobs");
        await tab.Page.Locator(".live.m-live").WaitForAsync();
        List<TimeSpan> times = [];

        // Several, because the machine may do something else in between: what counts is the usual time.
        for (var i = 1; i <= 5; i++)
        {
            var before = Stopwatch.GetTimestamp();
            var job = await shop.Site.Jobs.SubmitAsync(new ResizeImage($"live-{i}"));
            await tab.Page.Locator($"tr[data-id='{job.Id}'][data-state=running]").WaitForAsync();
            times.Add(Stopwatch.GetElapsedTime(before));

            before = Stopwatch.GetTimestamp();
            shop.Release($"live-{i}");
            await tab.Page.Locator($"tr[data-id='{job.Id}'][data-state=succeeded]").WaitForAsync();
            times.Add(Stopwatch.GetElapsedTime(before));
        }

        times.Order().ElementAt(times.Count / 2).ShouldBeLessThan(TimeSpan.FromSeconds(1), string.Join(", ", times));
        await tab.ShouldBeCleanAsync("Live");
    }

    [Fact]
    public async Task The_page_of_a_job_follows_it()
    {
        await using var shop = await Shop.OpenAsync();
        var job = await shop.Site.Jobs.SubmitAsync(new ResizeImage("cover"));
        await shop.CountAsync("state:running", 1);
        await using var tab = await chrome.OpenAsync(shop.Site, $"jobs/{job.Id}");
        await tab.Page.Locator("h1 .s-running").WaitForAsync();
        await tab.Page.GetByText("2 of 5 sizes").WaitForAsync();

        shop.Release("cover");

        await tab.Page.Locator("h1 .s-succeeded").WaitForAsync();
        await tab.Page.Locator(".why.s-succeeded .headline").WaitForAsync();
    }

    [Fact]
    public async Task New_jobs_wait_beside_the_list_while_something_is_selected()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "jobs");
        await tab.Page.GetByLabel("Select these").WaitForAsync();
        var first = await tab.Page.Locator("tbody tr").First.GetAttributeAsync("data-id");
        await tab.Page.Locator("tbody tr").First.GetByRole(AriaRole.Checkbox).CheckAsync();

        await shop.Site.Jobs.SubmitAsync(new IndexFile("new.md", 1));

        await tab.Button("1 new").WaitForAsync();
        (await tab.Page.Locator("tbody tr").First.GetAttributeAsync("data-id")).ShouldBe(first);
        await tab.Button("1 new").ClickAsync();
        await tab.Page.WaitForFunctionAsync("first => document.querySelector('tbody tr').dataset.id !== first", first);
    }

    [Fact]
    public async Task When_the_database_is_away_the_page_keeps_what_it_shows_and_says_since_when()
    {
        var inspection = new FakeInspection("kept");
        await using var site = await TestSite.StartAsync(new SiteSetup { Options = options => options.AllowAnonymous("A test"), Inspection = inspection });
        await using var tab = await chrome.OpenAsync(site, "queues");
        await tab.Link("kept").WaitForAsync();

        inspection.Fault = new StoreException(StoreFault.Unavailable, "db.internal refused the connection.");
        var banner = tab.Page.GetByRole(AriaRole.Alert);
        await banner.GetByText("The server or its database does not answer since").WaitForAsync();
        await banner.GetByText("db.internal refused the connection.").WaitForAsync();
        (await tab.Link("kept").IsVisibleAsync()).ShouldBeTrue();

        inspection.Fault = null;
        await banner.WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Detached });
        (await tab.Link("kept").IsVisibleAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task Without_the_stream_the_page_asks_by_itself()
    {
        await using var shop = await Shop.OpenAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "jobs");
        await tab.Page.Context.RouteAsync("**/api/v1/events", route => route.AbortAsync());
        await tab.GoAsync("jobs");

        await shop.Site.Jobs.SubmitAsync(new IndexFile("polled.md", 1));

        await tab.Page.Locator("tr[data-state=succeeded]").WaitForAsync();
        await tab.Page.Locator(".live.m-polling").WaitForAsync();
    }

    [Fact]
    public async Task Who_is_signed_out_is_told_so_and_nothing_is_asked_any_more()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "queues");
        await tab.Link("payments").WaitForAsync();
        await tab.Page.Context.RouteAsync("**/api/v1/**", route => route.FulfillAsync(new RouteFulfillOptions { Status = 401, ContentType = "application/problem+json", Body = """{"code":"not_signed_in","title":"Nobody is signed in"}""" }));

        await shop.Site.Jobs.SubmitAsync(new IndexFile("unseen.md", 1));

        await tab.Page.GetByText("You are signed out.").WaitForAsync();
        await tab.Page.Locator(".live.m-off").WaitForAsync();
        (await tab.Link("payments").IsVisibleAsync()).ShouldBeTrue();
    }
}
