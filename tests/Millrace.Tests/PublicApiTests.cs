using System.Reflection;
using Millrace.Tests.HouseRules;
using PublicApiGenerator;

namespace Millrace.Tests;

/// <summary>
/// What users can see of each assembly is a text in <c>PublicApi/</c>, so that a change of it is seen in a review. When a test here fails,
/// look at the difference; if it is meant, copy <c>….received.txt</c> over <c>….approved.txt</c>.
/// </summary>
public sealed class PublicApiTests
{
    /// <summary>A new public assembly is added here, and to the project's references.</summary>
    public static TheoryData<string> Assemblies => ["Millrace", "Millrace.Sqlite", "Millrace.Postgres", "Millrace.EntityFrameworkCore", "Millrace.Testing"];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void The_public_api_is_the_approved_one(string assembly)
    {
        var folder = Repository.PathOf("tests/Millrace.Tests/PublicApi");
        var approved = Path.Combine(folder, $"{assembly}.approved.txt");
        var received = Path.Combine(folder, $"{assembly}.received.txt");
        var text = Assembly.Load(assembly).GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (File.Exists(approved) && File.ReadAllText(approved).ReplaceLineEndings("\n") == text)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, text);
        Assert.Fail($"The public API of {assembly} is not the approved one. Compare {assembly}.received.txt with {assembly}.approved.txt in tests/Millrace.Tests/PublicApi, and copy it over if the change is meant.");
    }
}
