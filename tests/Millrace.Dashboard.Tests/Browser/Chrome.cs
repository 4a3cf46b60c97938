using Microsoft.Playwright;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Browser;

[CollectionDefinition(Name)]
public sealed class ChromeCollection : ICollectionFixture<Chrome>
{
    public const string Name = "Chrome";
}

/// <summary>One real browser for all tests that look at the dashboard as people do: Debian's Chromium, or the one that MILLRACE_TEST_CHROMIUM names.</summary>
public sealed class Chrome : IAsyncLifetime
{
    private static readonly string[] usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome-stable", "/usr/bin/google-chrome"];

    private IPlaywright? playwright;
    private IBrowser? browser;

    public async ValueTask InitializeAsync()
    {
        var path = Environment.GetEnvironmentVariable("MILLRACE_TEST_CHROMIUM") ?? usual.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("There is no Chromium here. Install it (scripts/chromium.sh bin), set MILLRACE_TEST_CHROMIUM to its path, or to none to skip the tests that need it.");
        if (path == "none")
            return;
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = path,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    /// <summary>Opens a page of a dashboard in a browser that knows nothing yet.</summary>
    internal async Task<Tab> OpenAsync(TestSite site, string path = "", string mount = "/jobs/", ColorScheme theme = ColorScheme.Light, int width = 1280, int height = 860)
    {
        if (browser is null)
            Assert.Skip("MILLRACE_TEST_CHROMIUM is none.");
        if (!Application.IsBuilt)
            Assert.Skip("The dashboard was built without its web application: Node was missing.");
        var context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            ColorScheme = theme, ViewportSize = new ViewportSize { Width = width, Height = height }, Locale = "en-GB", TimezoneId = "Europe/Berlin", ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(15_000);
        var tab = await Tab.OpenAsync(context, new Uri(site.Address, mount));
        await tab.GoAsync(path);
        return tab;
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
    }
}
