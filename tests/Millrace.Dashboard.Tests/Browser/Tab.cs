using System.Collections.Concurrent;
using Microsoft.Playwright;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Browser;

/// <summary>One page of the browser, and everything that went wrong in it.</summary>
internal sealed class Tab : IAsyncDisposable
{
    /// <summary>Counts what must never happen: a script of somebody else, and a report of the content security policy.</summary>
    private const string Watch = """
        window.hits = 0;
        window.hit = () => { window.hits++; };
        window.alert = window.confirm = window.prompt = window.hit;
        window.reports = [];
        document.addEventListener("securitypolicyviolation", event => window.reports.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
        """;

    private readonly IBrowserContext context;
    private readonly Uri mount;
    private readonly ConcurrentQueue<string> complaints = new();

    private Tab(IBrowserContext context, IPage page, Uri mount)
    {
        this.context = context;
        this.mount = mount;
        Page = page;
    }

    public IPage Page { get; }

    /// <summary>Errors in the console, and exceptions that nobody caught.</summary>
    public IReadOnlyCollection<string> Complaints => complaints;

    public static async Task<Tab> OpenAsync(IBrowserContext context, Uri mount)
    {
        var page = await context.NewPageAsync();
        var tab = new Tab(context, page, mount);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                tab.complaints.Enqueue(message.Text);
        };
        page.PageError += (_, error) => tab.complaints.Enqueue(error);
        await page.AddInitScriptAsync(Watch);
        return tab;
    }

    /// <summary>Opens a path of the dashboard, and waits until it shows something.</summary>
    public async Task GoAsync(string path)
    {
        await Page.GotoAsync(new Uri(mount, path).ToString());
        try
        {
            await Page.Locator("h1").WaitForAsync();
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{Page.Url} shows nothing. {string.Join(" | ", complaints)}\n{await Page.ContentAsync()}");
        }
    }

    /// <summary>Waits until everything that was asked for has come, so that a picture shows it.</summary>
    public async Task SettleAsync()
    {
        await Page.WaitForFunctionAsync("() => !document.querySelector('[role=status]:not(.toasts):not(.visually-hidden)') && !document.querySelector('.why.pending')");
        await Page.EvaluateAsync("() => document.fonts.ready.then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))");
    }

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true });

    public ILocator Link(string name) => Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = name, Exact = true });

    public ILocator Heading(string name) => Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = name });

    public ILocator Row(long id) => Page.Locator($"tr[data-id='{id}']");

    /// <summary>What must never happen did not happen.</summary>
    public async Task ShouldBeCleanAsync(string where)
    {
        (await Page.EvaluateAsync<int>("() => window.hits")).ShouldBe(0, $"{where}: a text of a job was run as a script");
        (await Page.EvaluateAsync<string[]>("() => window.reports")).ShouldBeEmpty($"{where}: the content security policy was hit");
        complaints.ShouldBeEmpty(where);
    }

    /// <summary>Stands until a locator has so many matches, or the deadline.</summary>
    public static Task<int> CountAsync(ILocator locator, int count) => TestSite.UntilAsync(locator.CountAsync, found => found == count);

    public async ValueTask DisposeAsync() => await context.DisposeAsync();
}
