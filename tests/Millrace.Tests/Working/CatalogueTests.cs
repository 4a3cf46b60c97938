using System.Text.Json;
using System.Text.Json.Serialization;
using Millrace.Inspecting;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class CatalogueTests
{
    private static readonly JobJson json = new(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    [Fact]
    public void A_type_is_described_with_the_policy_that_counts()
    {
        var type = JobType.OfDelegate<Payment>((_, _) => Task.CompletedTask);
        type.Retry = RetryPolicy.Every(TimeSpan.FromSeconds(5));

        var described = Describe(type);

        described.Name.ShouldBe("payment");
        described.Aliases.ShouldBe(["pay"]);
        described.Queue.ShouldBe("money");
        described.MaxAttempts.ShouldBe(3);
        described.Timeout.ShouldBe(TimeSpan.FromMinutes(1));
        described.Retry.ShouldBe("""{"kind":"every","delay":5}""");
        described.IsIsolated.ShouldBeTrue();
    }

    [Fact]
    public void What_is_not_set_is_not_told()
    {
        var described = Describe(JobType.OfDelegate<Plain>((_, _) => Task.CompletedTask));

        (described.Timeout, described.Retry, described.IsIsolated).ShouldBe((null, null, false));
        (described.Queue, described.MaxAttempts).ShouldBe(("default", 10));
    }

    [Fact]
    public void The_schema_marks_members_that_are_sensitive()
    {
        var schema = Catalogue.SchemaOf(typeof(Payment), json).ShouldNotBeNull();

        SensitiveNames.Marked(schema).ShouldBe(["card", "codes", "any", "inner", "note"], ignoreOrder: true);
        using var document = JsonDocument.Parse(schema);
        document.RootElement.GetProperty("properties").GetProperty("amount").TryGetProperty(SensitiveNames.Mark, out _).ShouldBeFalse();
        Redactor.Json("""{"card":"4111","amount":3,"lines":[{"note":"x","count":1}]}""", schema)
            .ShouldBe($$"""{"card":"{{Redactor.Blank}}","amount":3,"lines":[{"note":"{{Redactor.Blank}}","count":1}]}""");
    }

    [Fact]
    public void The_schema_of_a_source_generated_context_has_the_marks_too()
    {
        var generated = new JobJson(new JsonSerializerOptions { TypeInfoResolver = CatalogueContext.Default });

        SensitiveNames.Marked(Catalogue.SchemaOf(typeof(Payment), generated).ShouldNotBeNull()).ShouldContain("Card");
    }

    [Theory]
    [InlineData(typeof(object))]
    [InlineData(typeof(Func<int>))]
    [InlineData(typeof(CatalogueTests))]
    public void Without_a_schema_there_is_none(Type type) => Catalogue.SchemaOf(type, new JobJson(new JsonSerializerOptions { TypeInfoResolver = CatalogueContext.Default })).ShouldBeNull();

    [Fact]
    public void A_type_that_holds_itself_has_a_schema() => Catalogue.SchemaOf(typeof(Node), json).ShouldNotBeNull();

    private static TypeDescription Describe(JobType type)
    {
        var types = new TypeRegistry([type]);
        return Catalogue.Of(types, new JobPolicies(new MillraceOptions(), types, new Dictionary<string, JobPolicy>()), json).ShouldHaveSingleItem();
    }

    [Job("payment", Aliases = ["pay"], MaxAttempts = 3, Timeout = "00:01:00", Queue = "money", Isolated = true)]
    internal sealed record Payment([property: Sensitive] string Card, decimal Amount, List<Line> Lines)
    {
        [Sensitive]
        public List<string> Codes { get; init; } = [];

        [Sensitive]
        public object? Any { get; init; }

        [Sensitive]
        public Line? Inner { get; init; }
    }

    internal sealed record Line([Sensitive] string Note, int Count);

    [Job("plain")]
    internal sealed record Plain(string Text);

    internal sealed record Node(string Name, List<Node> Children);
}

[JsonSerializable(typeof(CatalogueTests.Payment))]
internal sealed partial class CatalogueContext : JsonSerializerContext;
