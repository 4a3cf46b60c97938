using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Browser;

/// <summary>What jobs hold is text, wherever it is shown.</summary>
[Collection(ChromeCollection.Name)]
public sealed class HostileTests(Chrome chrome)
{
    private static readonly string[] pages =
    [
        "", "jobs", "jobs?pane=1", "jobs/5", "jobs/5?tab=data", "jobs/5?tab=errors", "jobs/5?tab=logs", "jobs/5?tab=result", "jobs/5?tab=family", "jobs/5?tab=raw", "jobs/5?tab=audit",
        "failures", "queues", "schedules", "workers", "types", "types/t", "activity", "system",
    ];

    [Theory]
    [MemberData(nameof(HostileTexts.Joined), MemberType = typeof(HostileTexts))]
    [Trait("Speed", "Slow")]
    public async Task No_text_of_a_job_is_ever_run(string text)
    {
        var texts = text.Split(HostileTexts.Between);
        await using var site = await SiteOf(text);
        await using var tab = await chrome.OpenAsync(site);

        foreach (var page in pages)
        {
            await tab.GoAsync(page);
            await tab.SettleAsync();
            // The title of a cause is cut; its whole text is behind this.
            foreach (var closed in await tab.Page.Locator(".disclose").AllAsync())
                await closed.ClickAsync();
            var shown = await tab.Page.Locator("#app").TextContentAsync();
            foreach (var one in texts)
                shown!.ShouldContain(one, customMessage: page);
            await tab.ShouldBeCleanAsync(page);
        }
    }

    [Fact]
    public async Task Hidden_characters_are_shown_as_what_they_are()
    {
        var text = string.Join(HostileTexts.Between, HostileTexts.Hidden);
        await using var site = await SiteOf(text);
        await using var tab = await chrome.OpenAsync(site, "jobs/5?tab=errors");
        await tab.SettleAsync();

        var shown = await tab.Page.Locator(".error-lines").First.TextContentAsync();

        shown.ShouldBe("invoice⟨U+202E⟩txt.exe ¦ pay⟨U+200B⟩load ¦ ⟨U+2066⟩left⟨U+2069⟩ ¦ ⟨U+FEFF⟩mark ¦ bell⟨U+0007⟩ ¦ ⟨U+001B⟩[31mred");
        (await tab.Page.TitleAsync()).ShouldNotContain("\u202E");
    }

    [Theory]
    [InlineData("queues/")]
    [InlineData("schedules/")]
    public async Task A_name_that_looks_like_an_address_is_only_a_name(string page)
    {
        foreach (var name in new[] { "javascript:hit()", "//evil.example", "../../x", "<img src=x onerror=hit()>", "a/b?c#d%" })
        {
            await using var site = await SiteOf(name);
            await using var tab = await chrome.OpenAsync(site, page.TrimEnd('/'));
            await tab.SettleAsync();

            await tab.Page.Locator("tbody th a").First.ClickAsync();

            await tab.Page.Locator("h1", new() { HasText = name }).WaitForAsync();
            Uri.UnescapeDataString(tab.Page.Url).ShouldBe($"{site.Address}jobs/{page}{name}");
            await tab.ShouldBeCleanAsync(name);
        }
    }

    [Theory]
    [InlineData("document.body.innerHTML = '<b>x</b>'")]
    [InlineData("document.body.insertAdjacentHTML('beforeend', '<b>x</b>')")]
    [InlineData("document.createElement('script').src = 'assets/x.js'")]
    [InlineData("document.createElement('script').textContent = 'hit()'")]
    [InlineData("document.createElement('iframe').srcdoc = '<b>x</b>'")]
    [InlineData("document.body.setAttribute('onclick', 'hit()')")]
    [InlineData("trustedTypes.createPolicy('default', { createHTML: text => text, createScript: text => text })")]
    public async Task The_browser_itself_takes_no_text_as_markup_or_script(string attempt)
    {
        await using var site = await SiteOf("x");
        await using var tab = await chrome.OpenAsync(site);

        var refused = await tab.Page.EvaluateAsync<string>($$"""() => { try { {{attempt}}; return "taken"; } catch (error) { return error.name; } }""");

        refused.ShouldBe("TypeError");
    }

    private static Task<TestSite> SiteOf(string text) => TestSite.StartAsync(new SiteSetup
    {
        Options = options => options.AllowAnonymous("A test"),
        Inspection = new FakeInspection(text) { Data = System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, string> { [text] = text }) },
        Operations = new FakeOperations(text),
    });
}
