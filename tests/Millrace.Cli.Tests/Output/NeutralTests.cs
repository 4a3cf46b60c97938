using Millrace.Cli.Output;

namespace Millrace.Cli.Tests.Output;

public sealed class NeutralTests
{
    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("größer 漢字 😀", "größer 漢字 😀")]
    [InlineData("\e[31mred", "␛[31mred")]
    [InlineData("a\nb\r\tc", "a␊b␍ c")]
    [InlineData("\u009b31m", "\ufffd31m")]
    [InlineData("\u202eabc\u2066", "\ufffdabc\ufffd")]
    [InlineData("a\u200bb\ufeff", "a\ufffdb\ufffd")]
    [InlineData("\u007f", "␡")]
    public void A_line_holds_nothing_that_a_terminal_obeys(string text, string expected) => Neutral.Line(text).ShouldBe(expected);

    [Fact]
    public void Half_a_character_is_replaced() => Neutral.Line("\ud800x").ShouldBe("\ufffdx");

    [Fact]
    public void Tags_that_nobody_sees_are_replaced() => Neutral.Line("a\U000E0041b").ShouldBe("a\ufffdb");

    [Theory]
    [InlineData("abc", 3)]
    [InlineData("漢字", 4)]
    [InlineData("e\u0301", 1)]
    [InlineData("😀", 2)]
    public void Wide_letters_take_two_columns(string text, int width) => TextWidth.Of(text).ShouldBe(width);

    [Theory]
    [InlineData("abcdef", 4, "abc…")]
    [InlineData("漢字漢字", 5, "漢字…")]
    [InlineData("abc", 3, "abc")]
    public void A_cut_says_that_it_is_one(string text, int columns, string expected) => TextWidth.Cut(text, columns).ShouldBe(expected);

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@a", "'@a")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"a\"", "\"say \"\"a\"\"\"")]
    [InlineData("a\nb", "\"a\nb\"")]
    [InlineData("\e[0m", "␛[0m")]
    public void A_cell_is_no_formula(string text, string expected) => CsvWriter.Cell(text).ShouldBe(expected);

    [Fact]
    public void A_number_below_zero_stays_a_number() => CsvWriter.Cell(-5).ShouldBe("-5");

    [Fact]
    public void Json_escapes_what_it_could_leave_as_it_is()
    {
        var json = JsonDocumentWriter.Write(new Members { { "a", "ü 'x' <b> \u202e \e \u2028" }, { "none", null }, { "raw", new JsonText("""{"b":[1,"\u202e"]}""") }, { "broken", new JsonText("{") } }, indented: false);

        json.ShouldBe("""{"a":"ü 'x' <b> \u202e \u001B \u2028","raw":{"b":[1,"\u202e"]},"broken":"{"}""");
    }

    [Theory]
    [InlineData(0, "0ms")]
    [InlineData(0.25, "0.3ms")]
    [InlineData(250, "250ms")]
    [InlineData(1500, "1.5s")]
    [InlineData(61_000, "1m 1s")]
    [InlineData(3_600_000, "1h")]
    [InlineData(90_000_000, "1d 1h")]
    public void A_span_is_told_by_its_greatest_units(double milliseconds, string expected) => Words.Span(TimeSpan.FromMilliseconds(milliseconds)).ShouldBe(expected);

    [Fact]
    public void A_sparkline_shows_little_apart_from_nothing() => Sparkline.Of([0, 1, 50, 100]).ShouldBe(" ▁▄█");
}
