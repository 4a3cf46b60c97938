using System.Text;
using Millrace.Submitting;

namespace Millrace.Dashboard.Tests.Browser;

/// <summary>Texts that break out of a page which is careless with what jobs hold. Each that is run calls <c>hit()</c>.</summary>
internal static class HostileTexts
{
    public static readonly string[] All =
    [
        "<script>hit()</script>", "\"><script>hit()</script>", "'><script>hit()</script>", "<img src=x onerror=hit()>", "'\"><svg onload=hit()>", "<svg><script>hit()</script></svg>",
        "javascript:hit()", "JaVaScRiPt:hit()//", "<a href=\"javascript:hit()\">go</a>", "<iframe srcdoc=\"<script>parent.hit()</script>\"></iframe>", "<iframe src=javascript:parent.hit()>", "{{constructor.constructor('hit()')()}}",
        "${hit()}", "#{hit()}", "<%= hit() %>", "<style>@import url(//evil.example/x.css)</style>", "<link rel=stylesheet href=//evil.example/x.css>", "<div style=\"background:url(javascript:hit())\">",
        "</textarea><script>hit()</script>", "</script><script>hit()</script>", "</title><script>hit()</script>", "<!--<script>hit()</script>-->", "--><script>hit()</script>", "]]><script>hit()</script>",
        "<math><mtext></mtext><mglyph><svg><mtext><style><img src=x onerror=hit()></style>", "<noscript><p title=\"</noscript><img src=x onerror=hit()>\">", "<details open ontoggle=hit()>", "<input autofocus onfocus=hit()>",
        "<body onload=hit()>", "<object data=\"data:text/html,<script>hit()</script>\">", "<base href=//evil.example/>", "<meta http-equiv=refresh content=\"0;url=javascript:hit()\">", "<form action=javascript:hit()><button>go</button></form>",
        "%3Cscript%3Ehit()%3C/script%3E", "&lt;script&gt;hit()&lt;/script&gt;", "\\u003cscript\\u003ehit()\\u003c/script\\u003e", "<x onclick=hit() tabindex=0>focus</x>", "<video><source onerror=hit()></video>",
        "__proto__", "<portal src=javascript:hit()>",
    ];

    /// <summary>What stands between two of them in one text; none of them has it.</summary>
    public const string Between = " ¦ ";

    /// <summary>All of them in as few texts as names may be long.</summary>
    public static IEnumerable<TheoryDataRow<string>> Joined()
    {
        List<string> together = [];
        foreach (var text in All)
        {
            if (together.Count > 0 && Encoding.UTF8.GetByteCount(string.Join(Between, [.. together, text])) > NameValidator.MaxSizeInBytes)
            {
                yield return string.Join(Between, together);
                together.Clear();
            }

            together.Add(text);
        }

        yield return string.Join(Between, together);
    }

    /// <summary>Characters that hide or turn around what stands beside them.</summary>
    public static readonly string[] Hidden = ["invoice\u202Etxt.exe", "pay\u200Bload", "\u2066left\u2069", "\uFEFFmark", "bell\u0007", "\u001b[31mred"];
}
