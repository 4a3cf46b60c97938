using Millrace.Dashboard.Showing;
using Millrace.Dashboard.Tests.Site;

namespace Millrace.Dashboard.Tests.Showing;

public sealed class TraceLinkTests
{
    private const string Template = "https://traces.example.com/?id={traceId}";
    private const string Trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    [Theory]
    [InlineData(null, true)]
    [InlineData(Template, true)]
    [InlineData("http://localhost:3000/trace/{traceId}", true)]
    [InlineData("https://traces.example.com/", false)]
    [InlineData("/traces/{traceId}", false)]
    [InlineData("javascript:alert({traceId})", false)]
    [InlineData("{traceId}", false)]
    public void A_template_is_an_address_with_a_place_for_the_trace(string? template, bool isGood) => (TraceLink.Fault(template) is null).ShouldBe(isGood);

    [Theory]
    [InlineData(Trace, "https://traces.example.com/?id=4bf92f3577b34da6a3ce929d0e0e4736")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e47\"6-00f067aa0ba902b7-01", null)]
    [InlineData("no trace", null)]
    [InlineData(null, null)]
    public void Only_the_digits_of_a_trace_get_into_an_address(string? trace, string? link) => TraceLink.Of(Template, trace).ShouldBe(link);

    [Fact]
    public async Task A_job_tells_where_its_trace_is()
    {
        await using var site = await TestSite.StartAsync(
            new SiteSetup { Inspection = new FakeInspection { Trace = Trace }, Operations = new FakeOperations(), Options = options => options.TraceLink = Template }.WithUsers());

        (await site.GetAsync("/jobs/api/v1/jobs/5")).Json.Text("traceLink").ShouldEndWith("?id=4bf92f3577b34da6a3ce929d0e0e4736");
    }
}
