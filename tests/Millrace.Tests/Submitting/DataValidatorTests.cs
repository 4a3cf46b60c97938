using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Millrace.Submitting;

namespace Millrace.Tests.Submitting;

public sealed class DataValidatorTests
{
    // Characters around everything that is special, so that random texts hit it.
    private static readonly Gen<char> characters = Gen.OneOf(
        Gen.Char[' ', '~'], Gen.OneOf('\0', '\n', '\u001b', '"', '\\', '\ud83d', '\ude00', '\udfff', '\ufffd', '\uffff', 'é', '字'), Gen.Char);

    private static readonly Gen<string> texts = characters.Array[0, 12].Select(chars => new string(chars));

    // NUL
    [Theory]
    [InlineData("""{"items":[{"name":"a"},{"name":"b\u0000"}]}""", "$.items[1].name", "no NUL character")]
    [InlineData("""{"a":{"b\u0000c":1}}""", "$.a", "no NUL character")]
    [InlineData("[\"a\0b\"]", "$", "no NUL character")]
    // lone surrogates
    [InlineData("""["\ud83d"]""", "$[0]", "no lone surrogate")]
    [InlineData("""["ok","\ude00\ud83d"]""", "$[1]", "no lone surrogate")]
    [InlineData("""["\ud83d\u0041"]""", "$[0]", "no lone surrogate")]
    [InlineData("""{"a":{"\udc00":1}}""", "$.a", "no lone surrogate")]
    [InlineData("""{"a\u0062":{"c d":"\ud83d"}}""", "$.ab['c d']", "no lone surrogate")]
    [InlineData("""{"a":{"b":[1]},"c":[[],{"d":1},"\ud83d"]}""", "$.c[2]", "no lone surrogate")]
    // numbers
    [InlineData("""{"a":1e131071}""", "$.a", "350 digits written out")]
    [InlineData("""{"a":1e-99999999999999}""", "$.a", "350 digits written out")]
    [InlineData("""{"a":12345678901234567890123456789012345678901}""", "$.a", "40 digits")]
    // not JSON
    [InlineData("", "$", "valid JSON")]
    [InlineData("""{"a":[1,2,}""", "$.a[1]", "valid JSON")]
    [InlineData("""{"a":1} 2""", "$", "valid JSON")]
    [InlineData("""{"a":1 /* why */}""", "$.a", "valid JSON")]
    [InlineData("""{"a":NaN}""", "$.a", "valid JSON")]
    [InlineData("""{"strange name":[0,{"x":tru}]}""", "$['strange name'][1].x", "valid JSON")]
    public void What_a_store_would_change_is_refused_with_its_path(string json, string path, string limit)
    {
        var fault = Should.Throw<JobDataException>(() => DataValidator.Check("welcome", json));

        fault.Path.ShouldBe(path);
        fault.Limit.ShouldBe(limit);
        fault.JobType.ShouldBe("welcome");
        fault.Message.ShouldStartWith("Data of job type \"welcome\"");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("""["\ud83d\ude00","\\u0000","\\ud83d","😀"]""")]
    [InlineData("""{"a":1.7976931348623157E+308,"b":5E-324,"c":-0.0}""")]
    [InlineData("""{"a":1234567890123456789012345678901234567890}""")]
    public void What_both_stores_keep_is_accepted(string json) => DataValidator.Check("welcome", json);

    [Fact]
    public void A_lone_surrogate_in_the_text_itself_is_found_where_it_stands()
    {
        var fault = Should.Throw<JobDataException>(() => DataValidator.Check("welcome", "{\"a\":[\"é\",\"x\ud83d\"]}"));

        fault.Path.ShouldBe("$.a[1]");
        fault.Limit.ShouldBe("no lone surrogate");
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_found_where_they_stand() =>
        Should.Throw<JobDataException>(() => DataValidator.Check("welcome", [.. "[1,\""u8, 0xC3, .. "\"]"u8])).Path.ShouldBe("$[1]");

    [Fact]
    public void Depth_32_is_accepted_and_33_is_not()
    {
        DataValidator.Check("welcome", Nested(32));

        var fault = Should.Throw<JobDataException>(() => DataValidator.Check("welcome", Nested(33)));
        fault.Limit.ShouldBe("depth 32");
        fault.Path.ShouldBe("$" + string.Concat(Enumerable.Repeat("[0]", 32)));
        Should.Throw<JobDataException>(() => DataValidator.Check("welcome", Nested(10_000))).Limit.ShouldBe("depth 32");

        static string Nested(int levels) => new string('[', levels) + new string(']', levels);
    }

    [Fact]
    public void Size_counts_bytes_and_the_message_says_what_to_do()
    {
        var json = $"\"{new string('é', 100)}\"";
        DataValidator.Check("welcome", json, 202);

        var fault = Should.Throw<JobDataException>(() => DataValidator.Check("welcome", json, 201));
        fault.Message.ShouldBe(
            "Data of job type \"welcome\" is 202 bytes; at most 201 are allowed. Nothing was stored. "
            + "Store the content elsewhere and submit a reference to it, or raise MillraceOptions.MaxDataSize (at most 1,048,576).");
        fault.Path.ShouldBe("$");
        Should.Throw<JobDataException>(() => DataValidator.Check("welcome", new string(' ', 300_000))).Limit.ShouldBe("262,144 bytes");
    }

    [Fact]
    public void Every_finite_double_and_decimal_is_accepted()
    {
        Gen.Double.Where(double.IsFinite).SampleSeeded(value => DataValidator.Check("t", JsonSerializer.Serialize(value)));
        Gen.Decimal.SampleSeeded(value => DataValidator.Check("t", JsonSerializer.Serialize(value)));
    }

    [Fact]
    public void Any_text_is_refused_with_a_path_or_reads_back_as_it_was_given() =>
        Gen.Select(texts, texts, Gen.Bool).SampleSeeded((name, value, isEscaped) =>
        {
            var json = Quote(name, value, isEscaped);
            try
            {
                DataValidator.Check("t", json);
            }
            catch (JobDataException fault)
            {
                (name + value).ShouldSatisfyAllConditions(
                    () => (name.Contains('\0') || value.Contains('\0') || NameValidator.HasLoneSurrogate(name) || NameValidator.HasLoneSurrogate(value)).ShouldBeTrue(),
                    () => fault.Path.ShouldStartWith("$.list[1]"));
                return;
            }

            var member = JsonNode.Parse(Encoding.UTF8.GetBytes(json))!["list"]![1]!.AsObject().Single();
            member.Key.ShouldBe(name);
            member.Value!.GetValue<string>().ShouldBe(value);
        }, iter: 20_000);

    [Fact]
    public void Any_text_at_all_ends_in_an_answer() =>
        Gen.Select(texts, Gen.OneOf("{", "[", "\"", "{\"a\":", "[1,", "")).SampleSeeded((text, before) =>
        {
            try
            {
                DataValidator.Check("t", before + text);
                JsonNode.Parse(before + text);
            }
            catch (JobDataException fault)
            {
                fault.Path.ShouldStartWith("$");
            }
        }, iter: 20_000);

    // By hand: a serializer would refuse or replace what this test is about.
    private static string Quote(string name, string value, bool isEscaped)
    {
        return $$"""{"list":[0,{"{{Text(name)}}":"{{Text(value)}}"}]}""";

        string Text(string text) => string.Concat(text.Select(c =>
            isEscaped || c < ' ' || c is '"' or '\\' ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : c.ToString()));
    }
}
