using Microsoft.AspNetCore.Builder;
using Microsoft.Playwright;

namespace Millrace.Dashboard.Tests.Browser;

/// <summary>Finding one's way: addresses, filters, keys, wherever the dashboard is mapped.</summary>
[Collection(ChromeCollection.Name)]
public sealed class WayTests(Chrome chrome)
{
    [Theory]
    [InlineData("/shop", "/jobs", "/shop/jobs/")]
    [InlineData("", "/", "/")]
    [InlineData("/a b", "/admin/background jobs", "/a%20b/admin/background%20jobs/")]
    public async Task It_works_wherever_it_is_mapped(string pathBase, string pattern, string mount)
    {
        await using var shop = await Shop.OpenAsync(setup =>
        {
            setup.Before = app =>
            {
                app.UsePathBase(pathBase);
                app.UseRouting();
            };
            setup.Map = (app, options) =>
            {
                app.MapMillraceDashboard("/jobs", options);
                if (pattern != "/jobs")
                    app.MapMillraceDashboard(pattern, options);
            };
        });
        await shop.FillAsync();
        // A deep link, opened from nowhere.
        await using var tab = await chrome.OpenAsync(shop.Site, "queues/payments", mount);
        await tab.Heading("payments").WaitForAsync();
        await tab.Page.Locator("canvas").First.WaitForAsync();

        await tab.Page.GetByRole(AriaRole.Navigation, new PageGetByRoleOptions { Name = "Pages" }).GetByRole(AriaRole.Link, new LocatorGetByRoleOptions { Name = "Jobs", Exact = true }).ClickAsync();
        await tab.Page.Locator("tr[data-state=failed] a.job-link").First.ClickAsync();
        await tab.Page.Locator("h1 .s-failed").WaitForAsync();
        await tab.Page.GoBackAsync();
        await tab.Heading("Jobs").WaitForAsync();

        tab.Page.Url.ShouldBe(new Uri(shop.Site.Address, $"{mount}jobs").AbsoluteUri);
        await tab.ShouldBeCleanAsync(mount);
    }

    [Fact]
    public async Task A_list_is_taken_out_as_a_file_and_that_is_recorded()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "jobs?q=state:failed");
        await tab.Page.Locator("tr[data-state=failed]").First.WaitForAsync();
        var rows = await tab.Page.Locator("tr[data-state=failed]").CountAsync();

        await tab.Page.Locator("summary", new PageLocatorOptions { HasText = "Copy, export" }).ClickAsync();
        var file = await tab.Page.RunAndWaitForDownloadAsync(() => tab.Link("Export as CSV").ClickAsync());

        file.SuggestedFilename.ShouldBe("jobs.csv");
        var lines = (await File.ReadAllTextAsync(await file.PathAsync(), TestContext.Current.CancellationToken)).TrimEnd().Split("\r\n");
        lines[0].TrimStart('\ufeff').ShouldStartWith("id,type,");
        lines.Length.ShouldBe(1 + rows);
        await tab.GoAsync("activity");
        await tab.Page.Locator("table.operations b", new PageLocatorOptions { HasText = "Exported" }).WaitForAsync();
        await tab.ShouldBeCleanAsync("Exporting");
    }

    [Fact]
    public async Task A_filter_completes_is_a_link_and_says_where_it_is_wrong()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "jobs");
        await tab.Page.Locator("tbody tr").First.WaitForAsync();
        var filter = tab.Page.GetByRole(AriaRole.Combobox, new PageGetByRoleOptions { Name = "Filter" });

        await tab.Page.Keyboard.PressAsync("/");
        await filter.PressSequentiallyAsync("type:charge");
        await tab.Page.GetByRole(AriaRole.Option, new PageGetByRoleOptions { Name = "chargeCard" }).WaitForAsync();
        await filter.PressAsync("ArrowDown");
        await filter.PressAsync("Enter");
        await filter.PressAsync("Enter");
        await Tab.CountAsync(tab.Page.Locator("tbody tr"), 6);
        tab.Page.Url.ShouldEndWith("/jobs/jobs?q=type%3AchargeCard");

        await filter.FillAsync("type:chargeCard bogus:5");
        await tab.Page.GetByRole(AriaRole.Alert).GetByText("At character 17").WaitForAsync();
        (await tab.Page.Locator("tbody tr").CountAsync()).ShouldBe(6);
        await tab.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Application.Screenshots, "filter-wrong.png") });
    }

    [Fact]
    public async Task Everything_in_the_list_can_be_done_with_the_keyboard()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await shop.Site.PostAsync("/jobs/api/v1/queues/payments/pause", null!);
        await using var tab = await chrome.OpenAsync(shop.Site);
        await tab.Page.Locator("canvas").First.WaitForAsync();
        var keys = tab.Page.Keyboard;

        await keys.PressAsync("g");
        await keys.PressAsync("j");
        await tab.Page.Locator("tbody tr").First.WaitForAsync();
        await keys.PressAsync("j");
        await keys.PressAsync("j");
        await tab.Page.Locator("tbody tr:nth-child(2).current a:focus").WaitForAsync();
        await keys.PressAsync("Space");
        await tab.Page.GetByRole(AriaRole.Complementary, new PageGetByRoleOptions { Name = "Preview" }).WaitForAsync();
        await keys.PressAsync("Space");
        await keys.PressAsync("x");
        await keys.PressAsync("j");
        await keys.PressAsync("j");
        await keys.PressAsync("Shift+X");
        await tab.Page.GetByText("3 jobs selected").WaitForAsync();
        await keys.PressAsync("Escape");
        await Tab.CountAsync(tab.Page.Locator(".bulk-bar"), 0);
        await keys.PressAsync("Enter");
        await tab.Page.Locator(".job-page").WaitForAsync();
        await keys.PressAsync("e");
        await tab.Page.Locator("#why:focus").WaitForAsync();

        await tab.GoAsync("jobs?q=state:failed");
        await tab.Page.Locator("tr[data-state=failed]").First.WaitForAsync();
        await keys.PressAsync("j");
        await keys.PressAsync("r");
        await shop.CountAsync("state:ready queue:payments", 1);
        await tab.ShouldBeCleanAsync("Keys");
    }

    [Fact]
    public async Task The_palette_finds_jobs_queues_types_and_pages()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site);
        var id = (await shop.Site.GetAsync("/jobs/api/v1/jobs?q=state:failed", user: null)).Json.GetProperty("jobs")[0].GetProperty("id").GetString()!;

        foreach (var (typed, heading) in new[] { ("paym", "payments"), ("resizeI", "resizeImage"), ("sched", "Schedules"), (id, "chargeCard") })
        {
            await tab.Page.Keyboard.PressAsync("Control+k");
            await tab.Page.GetByRole(AriaRole.Combobox, new PageGetByRoleOptions { Name = "Search or jump" }).FillAsync(typed);
            await tab.Page.GetByRole(AriaRole.Option).First.WaitForAsync();
            await tab.Page.Keyboard.PressAsync("Enter");
            await tab.Heading(heading).First.WaitForAsync();
        }
    }

    [Fact]
    public async Task Theme_and_zone_are_remembered()
    {
        await using var shop = await Shop.OpenAsync();
        await using var tab = await chrome.OpenAsync(shop.Site);

        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Times are local" }).ClickAsync();
        await tab.Page.Keyboard.PressAsync("t");
        await tab.Page.Keyboard.PressAsync("t");
        await tab.GoAsync("jobs");

        (await tab.Page.Locator("html").GetAttributeAsync("data-theme")).ShouldBe("dark");
        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Times are UTC" }).WaitForAsync();
    }
}
