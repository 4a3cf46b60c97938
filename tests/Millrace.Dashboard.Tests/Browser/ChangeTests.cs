using System.Text.Json;
using Microsoft.Playwright;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Browser;

/// <summary>Changing things: previewed, confirmed, undone, and never by surprise.</summary>
[Collection(ChromeCollection.Name)]
public sealed class ChangeTests(Chrome chrome)
{
    [Fact]
    public async Task All_failed_jobs_are_retried_at_once_and_that_is_undone()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        // Otherwise they would have begun before anybody can undo it.
        await shop.Site.PostAsync("/jobs/api/v1/queues/payments/pause", null!, """{"reason":"A test"}""");
        await using var tab = await chrome.OpenAsync(shop.Site, "jobs?q=state:failed");
        await tab.Page.GetByLabel("Select these").CheckAsync();
        await tab.Page.GetByText("6 jobs selected").WaitForAsync();

        await tab.Button("Retry").ClickAsync();
        var dialog = tab.Page.GetByRole(AriaRole.Dialog, new PageGetByRoleOptions { Name = "Retry 6 jobs?" });
        await dialog.GetByLabel("Reason").FillAsync("The bank is back");
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Retry", Exact = true }).ClickAsync();

        await tab.Page.GetByText("Retried 6 jobs.").WaitForAsync();
        await shop.CountAsync("state:ready queue:payments", 6);
        await Tab.CountAsync(tab.Page.Locator("tr[data-state=failed]:not(.gone)"), 0);

        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Undo" }).ClickAsync();
        await tab.Page.GetByText("6 jobs as before.").WaitForAsync();
        await shop.CountAsync("state:failed", 6);
        await Tab.CountAsync(tab.Page.Locator("tr[data-state=failed]:not(.gone)"), 6);

        await tab.GoAsync("activity");
        await tab.Page.GetByText("The bank is back").WaitForAsync();
        await tab.ShouldBeCleanAsync("Bulk");
    }

    [Fact]
    public async Task Deleting_many_asks_for_their_number()
    {
        await using var shop = await Shop.OpenAsync();
        for (var i = 0; i < 30; i++)
            await shop.Site.Jobs.SubmitAsync(new IndexFile($"{i}.md", i));
        await shop.CountAsync("state:succeeded type:indexFile", 30);
        await using var tab = await chrome.OpenAsync(shop.Site, "jobs?q=type:indexFile");
        await tab.Page.GetByLabel("Select these").CheckAsync();

        await tab.Button("Delete").ClickAsync();
        var dialog = tab.Page.GetByRole(AriaRole.Dialog);
        var confirm = dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Delete", Exact = true });
        await dialog.GetByLabel("Type 30 to confirm").FillAsync("29");
        (await confirm.IsDisabledAsync()).ShouldBeTrue();
        await dialog.GetByLabel("Type 30 to confirm").FillAsync("30");
        await confirm.ClickAsync();

        await tab.Page.GetByText("Deleted 30 jobs.").WaitForAsync();
        await tab.Page.GetByText("No job matches.").WaitForAsync();
    }

    [Fact]
    public async Task A_job_that_finished_meanwhile_is_not_changed_and_the_page_says_so()
    {
        await using var shop = await Shop.OpenAsync();
        var job = await shop.Site.Jobs.SubmitAsync(new ResizeImage("quick"));
        await shop.CountAsync("state:running", 1);
        await using var tab = await chrome.OpenAsync(shop.Site, $"jobs/{job.Id}");
        await tab.Button("Cancel").WaitForAsync();
        // The screen stands still while the job goes on.
        await tab.Page.Keyboard.PressAsync(".");
        shop.Release("quick");
        await shop.CountAsync("state:succeeded", 1);

        await tab.Button("Cancel").ClickAsync();
        await tab.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Cancel", Exact = true }).ClickAsync();

        await tab.Page.GetByText("It finished meanwhile.").WaitForAsync();
        await tab.Page.Locator("h1 .s-succeeded").WaitForAsync();
    }

    [Fact]
    public async Task A_job_is_submitted_by_the_form_of_its_type()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "types/indexFile");

        await tab.Button("Submit a job…").ClickAsync();
        var dialog = tab.Page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("path").FillAsync("docs/by-hand.md");
        await dialog.GetByLabel("sizeInBytes").FillAsync("9007199254740993");
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Submit", Exact = true }).ClickAsync();

        await tab.Link("Open it").ClickAsync();
        await tab.Page.GetByText("docs/by-hand.md").First.WaitForAsync();
        // More digits than a browser's numbers have.
        await tab.Page.GetByText("9007199254740993").First.WaitForAsync();
        await tab.Page.Locator("h1 .s-succeeded").WaitForAsync();
    }

    [Fact]
    public async Task A_second_click_is_no_second_change()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await shop.Site.PostAsync("/jobs/api/v1/queues/payments/pause", null!, """{"reason":"A test"}""");
        var id = (await shop.Site.GetAsync("/jobs/api/v1/jobs?q=state:failed", user: null)).Json.GetProperty("jobs")[0].GetProperty("id").GetString()!;
        await using var tab = await chrome.OpenAsync(shop.Site, $"jobs/{id}");
        var keys = new List<string>();
        tab.Page.Request += (_, request) =>
        {
            if (request.Method == "POST")
                keys.Add(request.Headers["idempotency-key"]);
        };

        await tab.Button("Retry").DblClickAsync();

        await tab.Page.Locator("h1 .s-ready").WaitForAsync();
        keys.ShouldHaveSingleItem().ShouldMatch("^[0-9a-f]{32}$");
        (await shop.Site.GetAsync($"/jobs/api/v1/jobs/{id}/audit", user: null)).Json.GetProperty("operations").GetArrayLength().ShouldBe(1);
        await tab.ShouldBeCleanAsync("Two clicks");
    }

    [Fact]
    public async Task A_submission_whose_answer_was_lost_is_sent_again_and_made_once()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "types/indexFile");
        var sent = 0;
        await tab.Page.RouteAsync("**/api/v1/jobs", async route =>
        {
            if (++sent > 1)
            {
                await route.ContinueAsync();
                return;
            }

            await route.FetchAsync();
            await route.AbortAsync();
        });
        await tab.Button("Submit a job…").ClickAsync();
        var dialog = tab.Page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("path").FillAsync("docs/once.md");
        await dialog.GetByLabel("sizeInBytes").FillAsync("1");
        var submit = dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Submit", Exact = true });

        await submit.ClickAsync();
        await dialog.GetByText("The server does not answer").WaitForAsync();
        await submit.ClickAsync();
        await tab.Link("Open it").ClickAsync();
        await tab.Page.Locator("h1 .s-succeeded").WaitForAsync();

        sent.ShouldBe(2);
        await shop.CountAsync("data.path:docs/once.md", 1);
    }

    [Fact]
    public async Task The_next_tick_of_a_schedule_is_skipped_and_the_one_after_it_is_not()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "schedules/nightly");
        var due = (await ScheduleAsync()).GetProperty("nextDue").GetDateTimeOffset();

        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Pause", Exact = true }).ClickAsync();
        var dialog = tab.Page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Until").SelectOptionAsync("skip");
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Pause", Exact = true }).ClickAsync();

        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Resume", Exact = true }).WaitForAsync();
        (await ScheduleAsync()).GetProperty("pause").GetProperty("until").GetDateTimeOffset().ShouldBe(due.AddSeconds(1));

        async Task<JsonElement> ScheduleAsync() =>
            (await shop.Site.GetAsync("/jobs/api/v1/schedules", user: null)).Json.GetProperty("schedules").EnumerateArray().Single(one => one.GetProperty("name").GetString() == "nightly");
    }

    [Fact]
    public async Task A_queue_is_paused_with_a_reason_and_resumed()
    {
        await using var shop = await Shop.OpenAsync();
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "queues");

        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Pause mail" }).ClickAsync();
        var dialog = tab.Page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Reason").FillAsync("The mail server moves");
        await dialog.GetByLabel("Until").SelectOptionAsync("1h");
        await dialog.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Pause", Exact = true }).ClickAsync();
        await tab.Page.GetByText("The mail server moves").WaitForAsync();

        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Resume mail" }).ClickAsync();
        await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Pause mail" }).WaitForAsync();
    }

    [Fact]
    public async Task Who_may_only_look_sees_no_buttons()
    {
        await using var shop = await Shop.OpenAsync(setup =>
        {
            var options = setup.Options;
            setup.Options = dashboard =>
            {
                options(dashboard);
                dashboard.IsReadOnly = true;
            };
        });
        await shop.FillAsync();
        await using var tab = await chrome.OpenAsync(shop.Site, "jobs?q=state:failed");
        await tab.Page.Locator("tr[data-state=failed]").First.WaitForAsync();

        await tab.Page.GetByText("read-only").WaitForAsync();
        (await tab.Page.Locator("tbody input").CountAsync()).ShouldBe(0);
        await tab.GoAsync("failures");
        await tab.Page.Locator("table.failures tbody tr").First.WaitForAsync();
        (await tab.Button("Retry these").CountAsync()).ShouldBe(0);
        await tab.GoAsync("queues");
        await tab.Link("payments").WaitForAsync();
        (await tab.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Pause" }).CountAsync()).ShouldBe(0);
    }
}
