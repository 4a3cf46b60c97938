using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Changing;
using Millrace.Inspecting;

namespace Millrace.Dashboard.Tests.Changing;

/// <summary>Data that a person edited: what was blanked in it, and whether it fits its type.</summary>
public sealed class EditedDataTests
{
    private const string Blank = Redactor.Blank;

    [Theory]
    [InlineData($$"""{"a":2,"password":"{{Blank}}"}""", """{"a":2,"password":"secret"}""")]
    [InlineData($$"""{"list":[{"token":"{{Blank}}"},{"token":"new"}]}""", """{"list":[{"token":"t1"},{"token":"new"}]}""")]
    [InlineData($$"""{"key":"{{Blank}}"}""", """{"key":{"id":1,"value":[2]}}""")]
    [InlineData("""{"password":"changed"}""", """{"password":"changed"}""")]
    public void A_blanked_value_keeps_what_was_there(string edited, string filled) =>
        BlankedData.Fill(edited, """{"a":1,"password":"secret","list":[{"token":"t1"},{"token":"t2"}],"key":{"id":1,"value":[2]}}""").ShouldBe(filled);

    [Theory]
    // A secret is not moved to a place where it would be shown.
    [InlineData($$"""{"note":"{{Blank}}"}""", "$.note")]
    [InlineData($$"""{"list":[1,2,"{{Blank}}"]}""", "$.list[2]")]
    [InlineData($$$"""{"password":{"inner":"{{{Blank}}}"}}""", "$.password.inner")]
    public void A_blank_in_another_place_is_refused(string edited, string path) =>
        Should.Throw<Problem>(() => BlankedData.Fill(edited, """{"password":"secret","list":[1]}""")).Field.ShouldBe(path);

    [Theory]
    [InlineData("""{"path":"a","size":3}""", null)]
    [InlineData("""{"path":"a","size":3,"tags":["x"],"state":"open","next":null}""", null)]
    [InlineData("""{"path":"a","size":3,"next":{"path":"b","size":4}}""", null)]
    [InlineData("""{"size":3}""", "$ must have the member \"path\".")]
    [InlineData("""{"path":5,"size":3}""", "$.path must be string; it is number.")]
    [InlineData("""{"path":"a","size":3.5}""", "$.size must be integer; it is number.")]
    [InlineData("""{"path":"a","size":3,"tags":[1]}""", "$.tags[0] must be string or null; it is number.")]
    [InlineData("""{"path":"a","size":3,"state":"closed"}""", "$.state must be one of \"open\", \"done\".")]
    [InlineData("""{"path":"a","size":3,"other":1}""", "$.other is not a member of this type.")]
    [InlineData("""{"path":"a","size":3,"next":{"path":"b"}}""", "$.next must have the member \"size\".")]
    [InlineData("""{"path":"a","size":-1}""", "$.size must be at least 0.")]
    [InlineData("[]", "$ must be object; it is array.")]
    public void Data_must_fit_its_schema(string data, string? fault) => SchemaCheck.Fault(data, """
        {
          "type": "object",
          "properties": {
            "path": { "type": "string" },
            "size": { "type": "integer", "minimum": 0 },
            "tags": { "type": ["array", "null"], "items": { "type": ["string", "null"] } },
            "state": { "enum": ["open", "done"] },
            "next": { "$ref": "#/$defs/next" }
          },
          "required": ["path", "size"],
          "additionalProperties": false,
          "$defs": { "next": { "type": ["object", "null"], "properties": { "path": { "type": "string" } }, "required": ["size"] } }
        }
        """).ShouldBe(fault);

    [Theory]
    [InlineData("true")]
    [InlineData("{}")]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"$ref":"#/nothing"}""")]
    [InlineData("""{"type":5,"properties":7,"required":8,"items":9,"enum":1}""")]
    public void A_schema_that_makes_no_sense_asks_for_nothing_or_says_so(string schema) =>
        Should.NotThrow(() => SchemaCheck.Fault("""{"a":[1,{"b":null}]}""", schema));
}
