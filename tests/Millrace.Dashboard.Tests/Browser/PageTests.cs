using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Browser;

/// <summary>Every page, in both themes: it opens, it is accessible, and a picture of it is kept.</summary>
[Collection(ChromeCollection.Name)]
public sealed class PageTests(Chrome chrome)
{
    private static readonly string[] pages = ["Overview", "Jobs", "Failures", "Queues", "Schedules", "Workers", "Types", "Activity", "System"];

    [Fact]
    public async Task Each_page_is_a_click_away()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site);

        foreach (var page in pages.Reverse())
        {
            await tab.Page.GetByRole(AriaRole.Navigation, new PageGetByRoleOptions { Name = "Pages" }).GetByRole(AriaRole.Link, new LocatorGetByRoleOptions { Name = page, Exact = true }).ClickAsync();
            await tab.Heading(page).First.WaitForAsync();
            await tab.SettleAsync();
            tab.Page.Url.ShouldBe(new Uri(shop.Site.Address, page == "Overview" ? "/jobs/" : $"/jobs/{page.ToLowerInvariant()}").ToString());
        }

        await tab.ShouldBeCleanAsync("Clicking through");
    }

    [Fact]
    public async Task The_reason_of_a_failure_is_at_most_two_clicks_from_the_overview()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site);

        await tab.Page.Locator("table.failures a.error-text").First.ClickAsync();

        await tab.Page.Locator(".error-lines", new PageLocatorOptions { HasText = "was declined (insufficient funds)" }).First.WaitForAsync();
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task A_new_version_is_marked_and_schedules_that_are_due_together_are_named(ColorScheme theme)
    {
        await using var shop = await Shop.OpenAsync();
        var store = shop.Site.App.Services.GetRequiredKeyedService<IJobStore>("millrace");
        foreach (var version in (string[])["1.4.1", "1.4.2+3f9c01ab"])
        {
            var node = new NewNode { Id = Guid.NewGuid(), Name = $"web-1:{version}", Application = "Shop.Web", Version = version, Expiry = TimeSpan.FromMinutes(1) };
            await store.RegisterAsync(node, default);
            await store.LeaveAsync(node.Id, default);
        }

        await shop.FillAsync();
        foreach (var (tag, cron) in new[] { ("report", "0 2 2 * * *"), ("sweep", "0 */15 * * * *") })
            await shop.Site.Jobs.SubmitAsync(new IndexFile(tag, 0), new JobOptions { Tag = tag, CronSchedule = cron, Persistent = true });
        await using var tab = await chrome.OpenAsync(shop.Site, theme: theme);

        await tab.Page.Locator(".deployments", new PageLocatorOptions { HasText = "Shop.Web 1.4.2+3f9c01ab" }).WaitForAsync();
        await tab.Page.Locator("table.failures .badge", new PageLocatorOptions { HasText = "new since 1.4.2+3f9c01ab" }).First.WaitForAsync();
        await tab.Page.Locator("canvas").First.WaitForAsync();
        await tab.SettleAsync();
        await tab.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Application.Screenshots, $"overview-deployment-{theme.ToString().ToLowerInvariant()}.png"), FullPage = true });
        await tab.GoAsync("schedules");
        await tab.Page.Locator(".crowds li", new PageLocatorOptions { HasText = "3 together" }).First.WaitForAsync();
        await tab.SettleAsync();
        await tab.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Application.Screenshots, $"schedules-ahead-{theme.ToString().ToLowerInvariant()}.png"), FullPage = true });
        await tab.ShouldBeCleanAsync("Deployments and schedules");
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 400)]
    [InlineData(ColorScheme.Dark, 400)]
    [Trait("Speed", "Slow")]
    public async Task Axe_finds_nothing_on_any_page(ColorScheme theme, int width)
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await shop.Site.PostAsync("/jobs/api/v1/queues/mail/pause", null!, """{"reason":"The warehouse is being moved"}""");
        await using var tab = await chrome.OpenAsync(shop.Site, theme: theme, width: width);
        var failed = (await shop.Site.GetAsync("/jobs/api/v1/jobs?q=state:failed", user: null)).Json.GetProperty("jobs")[0].GetProperty("id").GetString();
        var done = (await shop.Site.GetAsync("/jobs/api/v1/jobs?q=state:succeeded", user: null)).Json.GetProperty("jobs")[0].GetProperty("id").GetString();
        (string Name, string Path)[] all =
        [
            .. pages.Select(page => (page.ToLowerInvariant(), page == "Overview" ? "" : page.ToLowerInvariant())),
            ("job-failed", $"jobs/{failed}"), ("job-logs", $"jobs/{done}?tab=logs"), ("jobs-preview", "jobs?q=state:failed&pane=1"), ("queue", "queues/payments"), ("schedule", "schedules/nightly"), ("type", "types/chargeCard"),
        ];

        foreach (var (name, path) in all)
        {
            await tab.GoAsync(path);
            await tab.SettleAsync();
            await tab.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Application.Screenshots, $"{name}-{theme.ToString().ToLowerInvariant()}-{width}.png"), FullPage = name != "jobs-preview" && width > 400 });
            (await ViolationsAsync(tab.Page)).ShouldBeEmpty($"{name}, {theme}, {width} px");
            (await tab.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth")).ShouldBeLessThanOrEqualTo(0, $"{name} at {width} px is too wide");
        }

        await tab.ShouldBeCleanAsync($"{theme} {width}");
    }

    [Fact]
    public async Task Axe_finds_nothing_in_dialogs()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "jobs?q=state:failed");
        await tab.Row(await FirstAsync(shop)).WaitForAsync();

        await tab.Page.Keyboard.PressAsync("?");
        await DialogAsync("Keys");
        await tab.Page.Keyboard.PressAsync("Control+k");
        await DialogAsync("Search or jump");
        await tab.Page.Keyboard.PressAsync("v");
        await tab.Page.GetByLabel("Name of this filter").FillAsync("What failed");
        await tab.Page.Keyboard.PressAsync("Enter");
        await tab.Link("What failed state:failed").WaitForAsync();
        await DialogAsync("Views");
        await tab.Page.GetByLabel("Select these").CheckAsync();
        await tab.Button("Delete").ClickAsync();
        await DialogAsync("Delete 6 jobs?");
        await tab.GoAsync("types/chargeCard");
        await tab.Button("Submit a job…").ClickAsync();
        await DialogAsync("Submit a job of type chargeCard");
        await tab.ShouldBeCleanAsync("Dialogs");

        async Task DialogAsync(string title)
        {
            var dialog = tab.Page.GetByRole(AriaRole.Dialog, new PageGetByRoleOptions { Name = title });
            await dialog.WaitForAsync();
            await tab.SettleAsync();
            (await ViolationsAsync(tab.Page)).ShouldBeEmpty(title);
            await tab.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Application.Screenshots, $"dialog-{title.Split(' ')[0].ToLowerInvariant()}.png") });
            await tab.Page.Keyboard.PressAsync("Escape");
            await dialog.WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Detached });
        }
    }

    private static async Task<long> FirstAsync(Shop shop) =>
        long.Parse((await shop.Site.GetAsync("/jobs/api/v1/jobs?q=state:failed", user: null)).Json.GetProperty("jobs")[0].GetProperty("id").GetString()!);

    /// <summary>What breaks WCAG 2.2 AA, or good practice, on the page as it stands.</summary>
    private static async Task<IReadOnlyList<string>> ViolationsAsync(IPage page)
    {
        // Run by the debugger, which the policy of the page does not bind.
        await page.EvaluateAsync(Application.Axe);
        var found = await page.EvaluateAsync<JsonElement>("""
            async () => (await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })).violations
                .map(violation => `${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map(node => node.target.join(" ")).join(" | ")}`)
            """);
        return [.. found.EnumerateArray().Select(violation => violation.GetString()!)];
    }
}
