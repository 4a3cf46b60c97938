using Millrace.Dashboard.Routes;
using Millrace.Dashboard.Showing;
using Millrace.Dashboard.Tests.Site;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Showing;

public sealed class SettingShowTests
{
    [Fact]
    public void Every_option_of_the_dashboard_is_told()
    {
        var told = SettingShow.OfDashboard(new DashboardOptions(), "/jobs", canSubmit: false).Select(setting => setting.Name.Split('.')[1]);
        told.ShouldBe([.. typeof(DashboardOptions).GetProperties().Select(property => property.Name), "Path", "AllowAnonymous", "Policies"], ignoreOrder: true);
    }

    [Fact]
    public void What_the_application_set_is_told_apart_from_defaults()
    {
        var options = new DashboardOptions { IsReadOnly = true, CanSubmit = false }.UsePolicies(view: "staff", administer: "platform");
        var told = SettingShow.OfDashboard(options, "/jobs", canSubmit: false).ToDictionary(setting => setting.Name, setting => (setting.Value, setting.Source));
        told["Dashboard.Title"].ShouldBe(("Millrace", SettingSource.Default));
        told["Dashboard.IsReadOnly"].ShouldBe(("yes", SettingSource.Application));
        told["Dashboard.CanSubmit"].ShouldBe(("no", SettingSource.Application));
        told["Dashboard.Policies"].ShouldBe(("view: staff, administer: platform", SettingSource.Application));
        told["Dashboard.AllowAnonymous"].ShouldBe(("none", SettingSource.Default));
    }

    [Fact]
    public async Task No_secret_is_among_them_whoever_wrote_it_there()
    {
        await using var site = await TestSite.StartAsync(new SiteSetup { Inspection = new FakeInspection(), Operations = new FakeOperations() }.WithUsers());

        var answer = await site.GetAsync($"/jobs/{AllRoutes.Base}/settings");

        answer.Status.ShouldBe(200);
        answer.Text.ShouldNotContain("hunter2");
        var groups = answer.Json.GetProperty("groups");
        groups[0].Text("of").ShouldBe("dashboard");
        var worker = groups[1].GetProperty("settings");
        (worker[1].Text("name"), worker[1].Text("value")).ShouldBe(("Mail.Password", Millrace.Inspecting.Redactor.Blank));
        worker[2].Text("value").ShouldStartWith("Host=db;Password=••••");
        groups[2].GetProperty("settings").GetArrayLength().ShouldBe(0);
    }
}
