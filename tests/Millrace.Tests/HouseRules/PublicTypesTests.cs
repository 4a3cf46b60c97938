using System.Reflection;

namespace Millrace.Tests.HouseRules;

public sealed class PublicTypesTests
{
    [Theory]
    [MemberData(nameof(PublicApiTests.Assemblies), MemberType = typeof(PublicApiTests))]
    public void Public_types_are_sealed_static_interfaces_enums_or_structs(string assembly)
    {
        var open = Assembly.Load(assembly).GetExportedTypes().Where(type => type.IsClass && !type.IsSealed);

        open.ShouldBeEmpty("what can be derived from cannot be changed later");
    }

    [Theory]
    [MemberData(nameof(PublicApiTests.Assemblies), MemberType = typeof(PublicApiTests))]
    public void A_public_type_stands_in_a_file_at_the_top_of_its_project_or_in_the_storage_contract(string assembly)
    {
        var folders = Assembly.Load(assembly).GetExportedTypes().Select(type => type.Namespace).Distinct();

        folders.ShouldBeSubsetOf([assembly, "Millrace", "Millrace.Storage", "Microsoft.Extensions.DependencyInjection"]);
    }
}
