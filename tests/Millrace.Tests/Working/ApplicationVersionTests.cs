using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class ApplicationVersionTests
{
    [Theory]
    [InlineData("1.4.2", "1.4.2")]
    [InlineData("1.4.2+3f9c01ab22d84c19b3cbb0e4ef31a9e07bd51c1f", "1.4.2+3f9c01ab")]
    [InlineData("1.4.2+build.77", "1.4.2+build.77")]
    [InlineData("1.4.2+3f9c", "1.4.2+3f9c")]
    public void A_commit_is_shortened(string version, string shown) => ApplicationVersion.Shorten(version).ShouldBe(shown);

    [Fact]
    public void What_the_application_says_counts_more_than_its_assembly()
    {
        ApplicationVersion.Of("2026-11-25.3").ShouldBe("2026-11-25.3");
        ApplicationVersion.Of(new string('x', 500)).ShouldNotBeNull().Length.ShouldBeLessThanOrEqualTo(100);
        ApplicationVersion.Of("").ShouldBeNull();
    }
}
