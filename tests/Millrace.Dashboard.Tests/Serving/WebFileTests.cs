using System.IO.Compression;
using Millrace.Dashboard.Serving;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Serving;

public sealed class WebFileTests
{
    [Theory]
    [InlineData("gzip, deflate, br", "br")]
    [InlineData("gzip, br;q=0.5", "br")]
    [InlineData("gzip, br;q=0", null)]
    [InlineData("", null)]
    public void A_browser_gets_the_form_that_it_takes(string accepted, string? encoding)
    {
        var file = new WebFile("assets/app.js");
        file.Add("br", Brotli("let x = 1;"u8));

        var (bytes, used) = file.For(accepted);

        used.ShouldBe(encoding);
        (used is null ? bytes : Plain(bytes)).ShouldBe("let x = 1;"u8.ToArray());
    }

    [Theory]
    [InlineData("http://127.0.0.1:5080", "/jobs", "http://127.0.0.1:5080/jobs/")]
    [InlineData("http://0.0.0.0:5080", "jobs", "http://localhost:5080/jobs/")]
    [InlineData("http://[::]:5080", "/jobs/", "http://localhost:5080/jobs/")]
    [InlineData("http://+:80", "/", "http://localhost/")]
    [InlineData("https://localhost:5081;http://localhost:5080", "/jobs", "http://localhost:5080/jobs/")]
    [InlineData("unix:/tmp/socket", "/jobs", "/jobs/")]
    [InlineData("", "/jobs", "/jobs/")]
    public void A_link_leads_to_this_machine(string addresses, string mount, string link) =>
        OwnAddress.Of(addresses.Split(';', StringSplitOptions.RemoveEmptyEntries), mount).ShouldBe(link);

    [Fact]
    public async Task The_first_load_is_small()
    {
        await using var site = await TestSite.StartAsync();
        var page = (await site.GetAsync("/jobs/")).Text;
        if (page.Contains("data-stub", StringComparison.Ordinal))
            Assert.Skip("The web application was not built: Node is missing.");

        var size = 0L;
        foreach (System.Text.RegularExpressions.Match address in System.Text.RegularExpressions.Regex.Matches(page, "(?:src|href)=\"\\./(assets/[^\"]+)\""))
        {
            var asset = await site.GetAsync($"/jobs/{address.Groups[1].Value}", change: request => request.Headers.AcceptEncoding.ParseAdd("br"));
            asset.Header("Content-Encoding").ShouldBe("br");
            size += asset.ContentHeaders.ContentLength!.Value;
        }

        size.ShouldBeInRange(1, 90 * 1024);
    }

    private static byte[] Brotli(ReadOnlySpan<byte> plain)
    {
        using var packed = new MemoryStream();
        using (var stream = new BrotliStream(packed, CompressionLevel.Optimal))
            stream.Write(plain);
        return packed.ToArray();
    }

    private static byte[] Plain(byte[] packed)
    {
        using var plain = new MemoryStream();
        using (var stream = new BrotliStream(new MemoryStream(packed), CompressionMode.Decompress))
            stream.CopyTo(plain);
        return plain.ToArray();
    }
}
