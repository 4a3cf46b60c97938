using System.Reflection;

namespace Millrace.Tests.HouseRules;

public sealed class PublicTypesTests
{
    [Theory]
    [MemberData(nameof(PublicApiTests.Assemblies), MemberType = typeof(PublicApiTests))]
    public void Public_types_cannot_be_derived_from_by_others(string assembly)
    {
        var open = Assembly.Load(assembly).GetExportedTypes().Where(type => type.IsClass && !type.IsSealed && !IsClosed(type));

        open.ShouldBeEmpty("what can be derived from cannot be changed later");
    }

    [Theory]
    [MemberData(nameof(PublicApiTests.Assemblies), MemberType = typeof(PublicApiTests))]
    public void A_public_type_stands_in_a_file_at_the_top_of_its_project_or_in_the_storage_contract(string assembly)
    {
        var folders = Assembly.Load(assembly).GetExportedTypes().Select(type => type.Namespace).Distinct();

        folders.ShouldBeSubsetOf([assembly, "Millrace", "Millrace.Storage", "Microsoft.Extensions.DependencyInjection"]);
    }

    /// <summary>Abstract, with constructors that this assembly alone can call: what the public types of this assembly have in common.</summary>
    private static bool IsClosed(Type type) =>
        type.IsAbstract
        && type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .All(constructor => constructor.IsFamilyAndAssembly || constructor.IsAssembly || constructor.IsPrivate);
}
