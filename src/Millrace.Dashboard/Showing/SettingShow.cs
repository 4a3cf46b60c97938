using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Dashboard.Showing;

/// <summary>Which settings are in force: this dashboard's, and those that processes have registered. Pure.</summary>
internal static class SettingShow
{
    private const string None = "none";

    public static SettingsAnswer All(DashboardOptions options, string mount, bool canSubmit, IEnumerable<NodeSettings> nodes, Redaction redaction) => new(
    [
        new SettingGroupAnswer("dashboard", null, 1, [], Settings(OfDashboard(options, mount, canSubmit), redaction)),
        .. nodes.Select(node => new SettingGroupAnswer("workers", redaction.Maybe(node.Application), node.Nodes, redaction.Texts(node.Names), Settings(SettingText.Read(node.Settings), redaction))),
    ]);

    public static IEnumerable<Setting> OfDashboard(DashboardOptions options, string mount, bool canSubmit)
    {
        var otherwise = new DashboardOptions();
        yield return new Setting("Dashboard.Path", mount, SettingSource.Application);
        yield return Setting.Of("Dashboard.Title", options.Title, otherwise.Title);
        yield return Setting.Of("Dashboard.Instance", options.Instance, otherwise.Instance);
        yield return Setting.Of("Dashboard.IsReadOnly", options.IsReadOnly, otherwise.IsReadOnly);
        yield return Setting.Of("Dashboard.CanSubmit", canSubmit, canSubmit) with { Source = options.CanSubmit is null ? SettingSource.Default : SettingSource.Application };
        yield return Setting.Of("Dashboard.TraceLink", options.TraceLink, otherwise.TraceLink);
        yield return Setting.Of("Dashboard.Redact", options.Redact is null ? "the built-in rules" : "the built-in rules and a function of the application", "the built-in rules");
        yield return Setting.Of("Dashboard.AllowAnonymous", options.AnonymousReason, null);
        // With none of its own, RequireAuthorization or the developer's link decides.
        yield return Setting.Of("Dashboard.Policies", Policies(options), None);
    }

    private static string Policies(DashboardOptions options) =>
        options.Policies is { } policies ? string.Join(", ", policies.Named().Select(one => $"{one.Permission.ToString().ToLowerInvariant()}: {one.Name}")) : None;

    private static List<SettingAnswer> Settings(IEnumerable<Setting> settings, Redaction redaction) =>
        [.. settings.Select(setting => new SettingAnswer(redaction.Text(setting.Name), redaction.Named(setting.Name, setting.Value), SettingText.Word(setting.Source)))];
}
