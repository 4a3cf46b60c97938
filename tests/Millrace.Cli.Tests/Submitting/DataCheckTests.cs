using Millrace.Cli.Submitting;

namespace Millrace.Cli.Tests.Submitting;

public sealed class DataCheckTests
{
    private const string Schema = """
        {
          "type": "object",
          "properties": {
            "name": { "type": "string" },
            "count": { "type": ["integer", "null"] },
            "tags": { "type": "array", "items": { "type": "string" } },
            "inner": { "type": "object", "properties": { "deep": { "type": "boolean" } }, "required": ["deep"] },
            "any": { "type": "object", "additionalProperties": { "type": "integer" } }
          },
          "required": ["name"]
        }
        """;

    [Theory]
    [InlineData("""{"name":"a"}""")]
    [InlineData("""{"NAME":"a","count":null,"tags":["x"],"inner":{"deep":true},"any":{"b":1}}""")]
    public void What_fits_has_no_fault(string data) => DataCheck.Faults(data, Schema).ShouldBeEmpty();

    [Theory]
    [InlineData("{}", "$.name is missing.")]
    [InlineData("[]", "$ is array; it must be object.")]
    [InlineData("""{"name":1}""", "$.name is integer; it must be string.")]
    [InlineData("""{"name":"a","nmae":"b"}""", "$.nmae is not a member of this type. Did you mean \"name\"?")]
    [InlineData("""{"name":"a","tags":["x",1]}""", "$.tags[1] is integer; it must be string.")]
    [InlineData("""{"name":"a","inner":{}}""", "$.inner.deep is missing.")]
    [InlineData("""{"name":"a","count":1.5}""", "$.count is number; it must be integer or null.")]
    public void What_does_not_fit_is_told(string data, string fault) => DataCheck.Faults(data, Schema).ShouldBe([fault]);

    [Fact]
    public void A_schema_that_says_nothing_takes_everything() => DataCheck.Faults("[1,{}]", "true").ShouldBeEmpty();
}
