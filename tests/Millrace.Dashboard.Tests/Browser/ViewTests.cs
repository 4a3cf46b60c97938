using System.Text.Json;
using Microsoft.Playwright;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Browser;

/// <summary>Filters with a name, kept by the browser.</summary>
[Collection(ChromeCollection.Name)]
public sealed class ViewTests(Chrome chrome)
{
    private const string Key = "millrace.views /jobs";

    [Fact]
    public async Task A_view_is_saved_opened_renamed_and_deleted_by_keyboard()
    {
        await using var site = await SiteAsync();
        await using var tab = await chrome.OpenAsync(site, "jobs?q=state:failed");
        var (keys, dialog) = (tab.Page.Keyboard, tab.Page.GetByRole(AriaRole.Dialog, new PageGetByRoleOptions { Name = "Views" }));
        await tab.Heading("Jobs").WaitForAsync();

        await keys.PressAsync("v");
        await keys.TypeAsync("  What   failed ");
        await keys.PressAsync("Enter");
        await dialog.GetByText("1 of 20").WaitForAsync();
        await keys.PressAsync("Escape");
        await dialog.WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Detached });

        // Kept by the browser, for the next visit.
        await tab.GoAsync("jobs");
        await keys.PressAsync("v");
        await dialog.GetByText("Set a filter to save it as a view.").WaitForAsync();
        await FocusAsync(tab, "What failed state:failed");
        await keys.PressAsync("Enter");
        await tab.Page.WaitForURLAsync("**/jobs/jobs?q=state%3Afailed");
        await dialog.WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Detached });

        await keys.PressAsync("v");
        await dialog.WaitForAsync();
        await FocusAsync(tab, "Rename What failed");
        await keys.PressAsync("Enter");
        await keys.TypeAsync("Broken");
        await keys.PressAsync("Escape");
        await dialog.GetByText("What failed").WaitForAsync();
        await FocusAsync(tab, "Rename What failed");
        await keys.PressAsync("Enter");
        await keys.TypeAsync("Broken");
        await keys.PressAsync("Enter");
        await dialog.GetByText("Broken").WaitForAsync();
        await TestSite.UntilAsync(() => FocusedAsync(tab), name => name == "Broken state:failed");

        await FocusAsync(tab, "Delete Broken");
        await keys.PressAsync("Enter");
        await dialog.GetByText("No view has been saved in this browser.").WaitForAsync();
        (await tab.Page.EvaluateAsync<string>("key => localStorage.getItem(key)", Key)).ShouldBe("[]");
        await tab.ShouldBeCleanAsync("Views");
    }

    [Fact]
    public async Task A_view_is_found_where_one_goes_anywhere()
    {
        await using var site = await SiteAsync();
        await using var tab = await chrome.OpenAsync(site);
        await PutAsync(tab, [("Slow mail", "queue:mail")]);
        await tab.GoAsync("");

        await tab.Page.Keyboard.PressAsync("Control+k");
        await tab.Page.Keyboard.TypeAsync("slow m");
        await tab.Page.GetByRole(AriaRole.Option, new PageGetByRoleOptions { Name = "Slow mail view" }).WaitForAsync();
        await tab.Page.Keyboard.PressAsync("Enter");

        await tab.Page.WaitForURLAsync("**/jobs/jobs?q=queue%3Amail");
    }

    [Fact]
    public async Task What_is_typed_right_after_the_key_goes_into_the_box()
    {
        await using var site = await SiteAsync();
        await using var tab = await chrome.OpenAsync(site);
        await tab.GoAsync("");

        // The next task, before anything is drawn: as early as a second key can come.
        (await tab.Page.EvaluateAsync<string?>("""
            async () => {
                dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true }));
                await new Promise(resolve => { const { port1, port2 } = new MessageChannel(); port1.onmessage = resolve; port2.postMessage(0); });
                return document.activeElement.getAttribute("role");
            }
            """)).ShouldBe("combobox");
    }

    [Fact]
    public async Task Twenty_views_have_room()
    {
        await using var site = await SiteAsync();
        await using var tab = await chrome.OpenAsync(site);
        await PutAsync(tab, [.. Enumerable.Range(1, 30).Select(i => ($"view {i}", "state:failed"))]);
        await tab.GoAsync("jobs?q=queue:mail");

        await tab.Button("Views").ClickAsync();

        await Tab.CountAsync(tab.Page.Locator(".views li"), 20);
        await tab.Page.GetByText("20 views are kept; delete one first.").WaitForAsync();
        await tab.Page.GetByLabel("Name of this filter").FillAsync("one more");
        (await tab.Button("Save").IsDisabledAsync()).ShouldBeTrue();
        // One that is there may be given this filter.
        await tab.Page.GetByLabel("Name of this filter").FillAsync("view 3");
        await tab.Button("Save").ClickAsync();
        await tab.Link("view 3 queue:mail").WaitForAsync();
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task A_hostile_name_is_only_text()
    {
        await using var site = await SiteAsync();
        await using var tab = await chrome.OpenAsync(site);

        // A mark of byte order is a space to JavaScript, and a name has none at its ends.
        foreach (var texts in HostileTexts.All.Concat(HostileTexts.Hidden).Where(text => !text.Contains('\uFEFF')).Chunk(20))
        {
            await PutAsync(tab, [.. texts.Select(text => (text.Length > 40 ? text[..40].Trim() : text, text))]);
            await tab.GoAsync("jobs?q=state:failed");
            await tab.Page.Keyboard.PressAsync("v");
            await Tab.CountAsync(tab.Page.Locator(".views li"), texts.Length);
            foreach (var text in texts.Except(HostileTexts.Hidden))
                (await tab.Page.Locator(".views").TextContentAsync())!.ShouldContain(text);
            foreach (var text in HostileTexts.Hidden)
                (await tab.Page.Locator(".views").TextContentAsync())!.ShouldNotContain(text);
            foreach (var link in await tab.Page.Locator(".views li a").AllAsync())
                (await link.EvaluateAsync<string>("link => link.href")).ShouldStartWith($"{site.Address}jobs/jobs?q=");
            await tab.Page.Locator(".views li button").First.ClickAsync();
            await tab.ShouldBeCleanAsync(string.Join(' ', texts));
        }
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""[null,5,{"name":{},"q":[]},{"name":"","q":"x"}]""")]
    public async Task What_is_no_view_is_left_alone(string stored)
    {
        await using var site = await SiteAsync();
        await using var tab = await chrome.OpenAsync(site);
        await tab.Page.EvaluateAsync("([key, text]) => localStorage.setItem(key, text)", new[] { Key, stored });
        await tab.GoAsync("jobs");

        await tab.Page.Keyboard.PressAsync("v");

        await tab.Page.GetByText("No view has been saved in this browser.").WaitForAsync();
        await tab.ShouldBeCleanAsync(stored);
    }

    private static Task<TestSite> SiteAsync() =>
        TestSite.StartAsync(new SiteSetup { Options = options => options.AllowAnonymous("A test"), Inspection = new FakeInspection(), Operations = new FakeOperations() });

    private static Task PutAsync(Tab tab, IReadOnlyList<(string Name, string Filter)> views) =>
        tab.Page.EvaluateAsync("([key, text]) => localStorage.setItem(key, text)", new[] { Key, JsonSerializer.Serialize(views.Select(view => new { name = view.Name, q = view.Filter })) });

    /// <summary>Goes on with Tab until what has this name has the focus.</summary>
    private static async Task FocusAsync(Tab tab, string name)
    {
        for (var i = 0; i < 20; i++)
        {
            if (await FocusedAsync(tab) == name)
                return;
            await tab.Page.Keyboard.PressAsync("Tab");
        }

        Assert.Fail($"{name} cannot be reached.");
    }

    private static Task<string> FocusedAsync(Tab tab) =>
        tab.Page.EvaluateAsync<string>("() => { const one = document.activeElement; return one.getAttribute('aria-label') ?? [...one.children].map(part => part.textContent).join(' '); }");
}
