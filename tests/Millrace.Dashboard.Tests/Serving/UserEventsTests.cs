using Microsoft.AspNetCore.Builder;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Serving;

/// <summary>What an application's own users hear of their jobs.</summary>
public sealed class UserEventsTests
{
    [Fact]
    public async Task A_user_hears_of_his_jobs_and_of_no_others()
    {
        await using var site = await StartAsync();
        await using var reader = await EventReader.OpenAsync(site, "/events", "42");

        await site.Jobs.SubmitAsync(new Told("for another"), new JobOptions { UserId = 43 });
        await site.Jobs.SubmitAsync(new Told("half way"), new JobOptions { UserId = 42 });

        var progress = await reader.NextAsync("progress");
        progress.Data.ShouldContain("\"percent\":50");
        progress.Data.ShouldContain("half way");
        (await reader.NextAsync("notification")).Data.ShouldContain("done: half way");
    }

    [Fact]
    public async Task A_browser_that_comes_back_goes_on_where_it_was()
    {
        await using var site = await StartAsync();
        string? seen;
        await using (var reader = await EventReader.OpenAsync(site, "/events", "42"))
        {
            await site.Jobs.SubmitAsync(new Told("first"), new JobOptions { UserId = 42 });
            (seen, _) = await reader.NextAsync("notification");
        }

        var job = await site.Jobs.SubmitAsync(new Told("second"), new JobOptions { UserId = 42 });
        await site.Jobs.WaitAsync(job.Id, TestSite.Deadline);

        await using var again = await EventReader.OpenAsync(site, "/events", "42", long.Parse(seen!, System.Globalization.CultureInfo.InvariantCulture));
        (await again.NextAsync("notification")).Data.ShouldContain("second");
    }

    [Fact]
    public async Task Nobody_hears_anything_without_being_a_user()
    {
        await using var site = await StartAsync();

        (await site.GetAsync("/events", null)).Status.ShouldBe(401);
        (await site.GetAsync("/events", "ana")).Status.ShouldBe(403);
        (await site.GetAsync("/events", "0")).Status.ShouldBe(403);
    }

    [Fact]
    public async Task The_application_can_say_who_its_users_are()
    {
        await using var site = await StartAsync((app, _) => app.MapMillraceEvents("/events", context => context.Request.Query["as"] == "ana" ? 42 : null));

        (await site.GetAsync("/events", "42")).Status.ShouldBe(403);
        (await site.GetAsync("/events?as=ana", null)).Status.ShouldBe(200);
    }

    private static Task<TestSite> StartAsync(Action<WebApplication, Action<DashboardOptions>>? map = null)
    {
        var setup = new SiteSetup
        {
            Millrace = m => m.AddWorkers().AddJob<Told>(async (job, cancellationToken) =>
            {
                await job.ReportProgressAsync(50, job.Data.Text, cancellationToken);
                await job.NotifyUserAsync(job.UserId, $"done: {job.Data.Text}", cancellationToken);
            }),
            Map = map ?? ((app, _) => app.MapMillraceEvents("/events")),
        };
        return TestSite.StartAsync(setup.WithUsers());
    }
}

[Job("told")]
public sealed record Told(string Text);
