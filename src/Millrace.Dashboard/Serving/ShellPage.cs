using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using Millrace.Dashboard.Showing;

namespace Millrace.Dashboard.Serving;

/// <summary>The page that starts the web application, told where it is. Pure.</summary>
internal static partial class ShellPage
{
    /// <summary>Where it is told: above every address of the page, for those before a base element are not relative to it.</summary>
    public const string Place = "<!--millrace:boot-->";

    /// <param name="html">As it was built.</param>
    /// <param name="home">Where the dashboard is, with a slash at its end: all links are relative to it.</param>
    /// <param name="title">What it is called.</param>
    public static string Render(string html, string home, string title)
    {
        // The serializer writes <, > and & as escapes, so nothing in the title ends the element.
        var boot = DashboardJson.InPage(new BootAnswer(home.Length > 1 ? home.TrimEnd('/') : "", title));
        var told = $"""<base href="{HtmlEncoder.Default.Encode(home)}"><script type="application/json" id="boot">{boot}</script>""";
        return Title().Replace(html.Replace(Place, told, StringComparison.Ordinal), _ => $"<title>{HtmlEncoder.Default.Encode(title)}</title>", 1);
    }

    [GeneratedRegex("<title>.*?</title>", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Title();
}
