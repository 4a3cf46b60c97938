using Millrace.Dashboard.Routes;
using Millrace.Tests.HouseRules;
using PublicApiGenerator;

namespace Millrace.Dashboard.Tests;

/// <summary>
/// What users can see of the assembly, and what programs can see of the API, are texts in the repository, so that a change of them is seen in a review. When a test here fails, look at the difference; if it is
/// meant, copy <c>….received</c> over <c>….approved</c>, or over <c>openapi.json</c>.
/// </summary>
public sealed class PublicApiTests
{
    [Fact]
    public void The_public_api_is_the_approved_one() => Compare(
        "tests/Millrace.Dashboard.Tests/PublicApi/Millrace.Dashboard.approved.txt",
        "Millrace.Dashboard.received.txt",
        typeof(DashboardOptions).Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n").TrimEnd() + "\n");

    [Fact]
    public void The_described_api_is_the_checked_in_one() => Compare(
        "src/Millrace.Dashboard/openapi.json",
        "openapi.received.txt",
        System.Text.Encoding.UTF8.GetString(OpenApi.Bytes));

    [Fact]
    public void Public_types_cannot_be_derived_from_and_stand_at_the_top()
    {
        var types = typeof(DashboardOptions).Assembly.GetExportedTypes();

        types.Where(type => type.IsClass && !type.IsSealed).ShouldBeEmpty();
        types.Select(type => type.Namespace).Distinct().ShouldBe(["Millrace"]);
    }

    private static void Compare(string approved, string received, string text)
    {
        var (there, here) = (Repository.PathOf(approved), Repository.PathOf($"tests/Millrace.Dashboard.Tests/PublicApi/{received}"));
        if (File.Exists(there) && File.ReadAllText(there).ReplaceLineEndings("\n") == text)
        {
            File.Delete(here);
            return;
        }

        File.WriteAllText(here, text);
        Assert.Fail($"{approved} is not what there is now. Compare it with {received} in tests/Millrace.Dashboard.Tests/PublicApi, and copy it over if the change is meant.");
    }
}
