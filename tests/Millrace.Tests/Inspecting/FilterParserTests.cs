using System.Text.Json;
using CsCheck;
using Millrace.Inspecting;
using Millrace.Storage;

namespace Millrace.Tests.Inspecting;

public sealed class FilterParserTests
{
    private static readonly DateTimeOffset now = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    // Nothing to ask for
    [InlineData(null, "")]
    [InlineData("  \t ", "")]
    // Texts
    [InlineData("type:indexFile", "type:indexFile")]
    [InlineData("tag:scan*", "tag:scan*")]
    [InlineData("tag:\"scan*\"", "tag:\"scan*\"")]
    [InlineData("tag:\"my scan\"*", "tag:\"my scan\"*")]
    [InlineData("queue:mail,default", "queue:mail,default")]
    [InlineData("queue=mail", "queue:mail")]
    [InlineData("-queue:mail", "-queue:mail")]
    [InlineData("TAG:A", "tag:A")]
    [InlineData("error~\"timeout of\"", "error~\"timeout of\"")]
    [InlineData("error~\"a \\\"b\\\" C:\\dir\"", "error~\"a \\\"b\\\" C:\\\\dir\"")]
    [InlineData("error~C:\\dir", "error~C:\\dir")]
    [InlineData("tag:a:b>c", "tag:a:b>c")]
    [InlineData("worker:web-1*", "worker:web-1*")]
    [InlineData("outcome:Interrupted,failed", "outcome:interrupted,failed")]
    // Words without a field
    [InlineData("index", "type~index")]
    [InlineData("index*", "type:index*")]
    [InlineData("index*,\"\"", "type:index*,\"\"")]
    [InlineData("\"mail:send\"", "type~mail:send")]
    [InlineData("4711", "id:4711")]
    [InlineData("#4711 -12", "id:4711 -id:12")]
    [InlineData("99999999999999999999", "type~99999999999999999999")]
    // States
    [InlineData("state:FAILED", "state:failed")]
    [InlineData("state:discarded", "state:failed")]
    [InlineData("state:ready,running", "state:ready,running")]
    [InlineData("state:delayed,retrying", "state:scheduled")]
    [InlineData("state:ready,scheduled,waiting", "state:pending")]
    // Numbers
    [InlineData("id:1..500", "id:1..500")]
    [InlineData("id:7.. priority:..-1", "id:7.. priority:..-1")]
    [InlineData("id:5..5", "id:5")]
    [InlineData("attempt>3 attempt>=3 attempt<3 attempt<=3", "attempt:4.. attempt:3.. attempt:..2 attempt:..3")]
    [InlineData("attempt:>3 attempt:<=3", "attempt:4.. attempt:..3")]
    [InlineData("user:42 parent:17", "user:42 parent:17")]
    // Times
    [InlineData("finished>-1h", "finished:2026-07-01T11:00:00.000001Z..")]
    [InlineData("finished>=-30m", "finished:2026-07-01T11:30:00.0Z..")]
    [InlineData("due<+1h", "due:..2026-07-01T12:59:59.999999Z")]
    [InlineData("created:-2h..now", "created:2026-07-01T10:00:00.0Z..2026-07-01T12:00:00.0Z")]
    [InlineData("created:2026-06-01", "created:2026-06-01T00:00:00.0Z..2026-06-01T23:59:59.999999Z")]
    [InlineData("created>2026-06-01", "created:2026-06-02T00:00:00.0Z..")]
    [InlineData("created:2026-06-01..2026-06-02", "created:2026-06-01T00:00:00.0Z..2026-06-02T23:59:59.999999Z")]
    [InlineData("started:2026-06-01T10:00", "started:2026-06-01T10:00:00.0Z..2026-06-01T10:00:59.999999Z")]
    [InlineData("started:2026-06-01T10:00:30+02:00", "started:2026-06-01T08:00:30.0Z..2026-06-01T08:00:30.999999Z")]
    [InlineData("started:today", "started:2026-07-01T00:00:00.0Z..2026-07-01T23:59:59.999999Z")]
    [InlineData("started:yesterday", "started:2026-06-30T00:00:00.0Z..2026-06-30T23:59:59.999999Z")]
    [InlineData("finished:-2w..-7d", "finished:2026-06-17T12:00:00.0Z..2026-06-24T12:00:00.0Z")]
    // Data
    [InlineData("data.path~doc", "data.path~doc")]
    [InlineData("data.customer.id:42", "data.customer.id:42")]
    [InlineData("-data.\"a.b\".0:x*", "-data.\"a.b\".0:x*")]
    [InlineData("data.text:\"\"", "data.text:\"\"")]
    public void A_filter_means(string? text, string canonical) => FilterText.Of(FilterParser.Parse(text, now)).ShouldBe(canonical);

    [Theory]
    [InlineData("stat:failed", 0, 4, "There is no field \"stat\". Did you mean \"state\"?")]
    [InlineData("tag:a  foo:b", 7, 3, "There is no field \"foo\".")]
    [InlineData("state:faild", 6, 5, "\"faild\" is not a word of state. Did you mean \"failed\"?")]
    [InlineData("state:ready,nope", 12, 4, "\"nope\" is not a word of state.")]
    [InlineData("state~failed", 5, 1, "~ does not go with state. Expected state: and a word, such as state:failed.")]
    [InlineData("outcome:lost", 8, 4, "\"lost\" is not a word of outcome.")]
    [InlineData("tag>5", 3, 1, "> does not go with tag.")]
    [InlineData("tag.x:5", 4, 1, "Only data has members; tag is one text.")]
    [InlineData("attempt~3", 7, 1, "~ does not go with attempt.")]
    [InlineData("attempt>three", 8, 5, "\"three\" is not a whole number.")]
    [InlineData("id:1..x", 6, 1, "\"x\" is not a whole number.")]
    [InlineData("id:5..1", 3, 4, "The range is empty: 5 is more than 1.")]
    [InlineData("id:..", 3, 2, "A range has at least one end")]
    [InlineData("id:1,2", 5, 1, "id takes one number")]
    [InlineData("id<-9223372036854775808", 3, 20, "There is no number beyond this one.")]
    [InlineData("created:soon", 8, 4, "\"soon\" is not a time. Expected a date (2026-07-01)")]
    [InlineData("created>-1y", 8, 3, "\"-1y\" is not a time.")]
    [InlineData("created>-", 8, 1, "\"-\" is not a time.")]
    [InlineData("created:now..-1h", 8, 8, "The range is empty: it ends before it begins.")]
    [InlineData("finished:-1h", 9, 3, "-1h is a moment, and hardly any job has exactly that. Write finished>-1h")]
    [InlineData("tag:", 0, 4, "tag: lacks a value.")]
    [InlineData("tag:a,", 0, 6, "tag:a, lacks a value.")]
    [InlineData("tag:\"a b", 4, 4, "This quote is not closed.")]
    [InlineData("x - y", 2, 1, "A - stands before a term that must not hold")]
    [InlineData(":x", 0, 1, "A field is missing here.")]
    [InlineData("data:x", 0, 4, "Say which member of the data is meant")]
    [InlineData("data.a..b:x", 6, 1, "A member of the data lacks its name here.")]
    [InlineData("data.a>5", 6, 1, "> does not go with data.")]
    [InlineData("data.a:x,y", 9, 1, "A member of the data is compared with one value.")]
    [InlineData("error~\"\"", 6, 2, "Every text contains the empty one.")]
    [InlineData("tag:a*,\"b*\"", 7, 4, "A star in quotes means itself")]
    [InlineData("tag:a\0b", 4, 3, "A NUL character")]
    public void What_cannot_be_read_is_pointed_at(string text, int position, int length, string message)
    {
        var fault = Should.Throw<FilterException>(() => FilterParser.Parse(text, now));

        (fault.Position, fault.Length).ShouldBe((position, length));
        fault.Message.ShouldStartWith(message);
    }

    [Fact]
    public void Text_terms_and_values_are_limited()
    {
        Should.Throw<FilterException>(() => FilterParser.Parse(new string('x', 201), now)).Position.ShouldBe(200);
        Should.Throw<FilterException>(() => FilterParser.Parse(string.Join(' ', Enumerable.Repeat("a", 21)), now)).Position.ShouldBe(40);
        Should.Throw<FilterException>(() => FilterParser.Parse("tag:" + new string('字', 67), now)).Message.ShouldBe("A value has at most 200 bytes in UTF-8; this one has 201.");
        FilterParser.Parse("tag:" + new string('字', 66), now).Terms.Count.ShouldBe(1);
    }

    [Fact]
    public void Junk_is_read_or_pointed_at_and_nothing_else() =>
        Gen.OneOf(Gen.String[0, 210], Gen.OneOf(pieces).Array[0, 12].Select(string.Concat)).SampleSeeded(
            text =>
            {
                JobFilter filter;
                try
                {
                    filter = FilterParser.Parse(text, now);
                }
                catch (FilterException fault)
                {
                    fault.Position.ShouldBeInRange(0, text.Length - 1);
                    fault.Length.ShouldBeInRange(1, text.Length - fault.Position);
                    fault.Message.ShouldNotBeNullOrWhiteSpace();
                    return;
                }

                // What was read is written so that it is read again as the same.
                var written = FilterText.Of(filter);
                if (written.Length <= FilterParser.Longest)
                    FilterText.Of(FilterParser.Parse(written, now)).ShouldBe(written);
            },
            iter: 20_000);

    [Fact]
    public void What_is_written_is_read_as_the_same() =>
        filters.SampleSeeded(
            filter =>
            {
                var text = FilterText.Of(filter);
                if (text.Length <= FilterParser.Longest)
                    Shape(FilterParser.Parse(text, now)).ShouldBe(Shape(filter), text);
            },
            iter: 5_000);

    [Fact]
    public void Every_field_and_word_has_a_hint_and_an_example_that_is_read()
    {
        foreach (var field in FilterWords.Fields)
            FilterParser.Parse(field.Example, now).Terms.Count.ShouldBe(1, field.Name);
        foreach (var word in FilterWords.States)
            FilterParser.Parse($"state:{word.Word}", now).Terms.ShouldBe([new StateTerm(word.States)], word.Word);
        FilterWords.Fields.Select(field => field.Hint).Concat(FilterWords.States.Select(state => state.Hint)).ShouldAllBe(hint => hint.Length > 4);
    }

    private static string Shape(JobFilter filter) => string.Join('\n', filter.Terms.Select(term => $"{term.GetType().Name} {JsonSerializer.Serialize(term, term.GetType())}"));

    private static readonly string[] pieces =
    [
        "state", "type", "tag", "id", "attempt", "created", "due", "data", "error", "outcome", ".", "..", ":", "~", "<", ">", "<=", "=", ",", "\"", "\\", "*", "-", "+", " ", " ",
        "failed", "ready", "12", "-5", "1h", "-1h", "now", "today", "2026-07-01", "T10:00", "9999-12-31", "x", "字", "\ud83d", "\0", "#", "99999999999999999999", "0001-01-01",
    ];

    private static readonly Gen<string> words = Gen.OneOf(
        Gen.OneOf("a", "scan", "a b", "a,b", "\"", "\\", "a\\\"b", "..", "-x", ">5", "字", "\n", "now", "x:y~z"),
        Gen.String[Gen.Char['!', '~'], 1, 12]);

    private static readonly Gen<string> wordsAndNone = Gen.Frequency((9, words), (1, Gen.Const("")));

    private static readonly Gen<DateTimeOffset?> times =
        Gen.Long[0, 250_000_000_000_000_000].Select(micros => (DateTimeOffset?)DateTimeOffset.UnixEpoch.AddTicks(micros)).Select(time => (DateTimeOffset?)time!.Value.AddTicks(-(time.Value.Ticks % 10)));

    private static readonly Gen<TextField> fields = Gen.Enum<TextField>().Where(field => field != TextField.Outcome);

    private static readonly Gen<IFilterTerm> terms = Gen.OneOf<IFilterTerm>(
        Gen.Select(Gen.Int[1, 511], Gen.Bool, (states, isNot) => (IFilterTerm)new StateTerm((StateSet)states, isNot)),
        Gen.Select(fields, wordsAndNone.List[1, 3], Gen.Bool, (field, values, isNot) => (IFilterTerm)new TextTerm(field, TextMatch.Exact, values.ToArray(), isNot)),
        Gen.Select(fields, words.List[1, 3], Gen.Bool, (field, values, isNot) => (IFilterTerm)new TextTerm(field, TextMatch.Contains, values.ToArray(), isNot)),
        Gen.Select(fields, wordsAndNone.List[1, 3], Gen.Bool, (field, values, isNot) => (IFilterTerm)new TextTerm(field, TextMatch.Pattern, values.Append("x*y z").ToArray(), isNot)),
        Gen.Select(Gen.OneOf(FilterWords.Outcomes.ToArray()).List[1, 3], Gen.Bool, (values, isNot) => (IFilterTerm)new TextTerm(TextField.Outcome, TextMatch.Exact, values.ToArray(), isNot)),
        Gen.Select(Gen.Enum<NumberField>(), Gen.Long, Gen.Long, Gen.Int[0, 2], (field, one, two, open) =>
            (IFilterTerm)new NumberTerm(field, open == 1 ? null : Math.Min(one, two), open == 2 ? null : Math.Max(one, two))),
        Gen.Select(Gen.Enum<TimeField>(), times, times, Gen.Int[0, 2], (field, one, two, open) =>
            (IFilterTerm)new TimeTerm(field, open == 1 ? null : one < two ? one : two, open == 2 ? null : one < two ? two : one)),
        Gen.Select(words.List[1, 3], wordsAndNone, Gen.Bool, (path, value, isNot) => (IFilterTerm)new DataTerm(path.ToArray(), TextMatch.Exact, value, isNot)),
        Gen.Select(words.List[1, 3], words, Gen.Bool, (path, value, isNot) => (IFilterTerm)new DataTerm(path.ToArray(), TextMatch.Contains, value, isNot)));

    private static readonly Gen<JobFilter> filters = terms.List[0, 4].Select(list => new JobFilter(list.ToArray()));
}
