using System.Text;
using CsCheck;
using Millrace.Submitting;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class SanitiserTests
{
    internal static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Char[' ', '~'],
        Gen.OneOf('\0', '\n', '\r', '\t', '\u001b', '[', ']', 'm', '\u0007', '\\', '\u009c', '\u007f', '\ud83d', '\ude00', '\udfff', '\uffff', 'é', '字'),
        Gen.Char).Array[0, 60].Select(chars => new string(chars));

    [Fact]
    public void The_result_is_always_storable_and_within_the_limit() =>
        Gen.Select(Texts, Gen.Int[0, 120]).SampleSeeded((text, limit) => IsStorable(Sanitiser.Text(text, limit), limit), iter: 20_000);

    [Fact]
    public void A_second_cleaning_changes_nothing() =>
        Texts.SampleSeeded(text => Sanitiser.Text(Sanitiser.Text(text, 10_000), 10_000) == Sanitiser.Text(text, 10_000), iter: 20_000);

    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("a\0b", "a\ufffdb")]
    [InlineData("\u001b[31mred\u001b[0m and \u001b[1;32mgreen\u001b[m", "red and green")]
    [InlineData("\u001b]0;title\u0007after", "after")]
    [InlineData("\u001b]8;;http://x\u001b\\link", "link")]
    [InlineData("\u001b]no end of this", "␛]no end of this")]
    [InlineData("a\u001b", "a␛")]
    [InlineData("one\r\ntwo\rthree\tfour", "one\ntwo\nthree\tfour")]
    [InlineData("bell\u0007 back\b delete\u007f c1\u009b", "bell␇ back␈ delete␡ c1\ufffd")]
    [InlineData("emoji 😀 字", "emoji 😀 字")]
    [InlineData("", "")]
    [InlineData(null, "")]
    public void What_a_terminal_would_obey_is_gone_or_visible(string? text, string expected) => Sanitiser.Text(text, 1000).ShouldBe(expected);

    [Fact]
    public void Half_of_a_surrogate_pair_is_replaced() => Sanitiser.Text("a\ud83db\ude00", 100).ShouldBe("a\ufffdb\ufffd");

    [Fact]
    public void A_cut_text_says_how_long_it_was() =>
        Sanitiser.Text(new string('x', 1_234_567), 40).ShouldBe($"{new string('x', 14)}… (cut, 1,234,567 bytes)");

    [Fact]
    public void A_cut_never_splits_a_character() => Sanitiser.Text(new string('字', 50), 40).ShouldBe("字字字字字字… (cut, 150 bytes)");

    [Fact]
    public void A_text_that_fits_is_the_same_object()
    {
        var text = new string('x', 40);

        Sanitiser.Text(text, 40).ShouldBeSameAs(text);
    }

    [Theory]
    [InlineData("Host=db;Password=s3cret;Database=x", "Host=db;Password=***;Database=x")]
    [InlineData("Host=db;pwd = 'a;b' ;Database=x", "Host=db;pwd = *** ;Database=x")]
    [InlineData("AccountKey=abc==;Endpoint=x", "AccountKey=***;Endpoint=x")]
    [InlineData("""{"password":"s3cret","user":"x"}""", """{"password":***,"user":"x"}""")]
    [InlineData("postgres://me:s3cret@db/x failed", "postgres://me:***@db/x failed")]
    [InlineData("Authorization: Bearer abc.def-123456", "Authorization: Bearer ***")]
    [InlineData("https://x/?token=abc&page=2", "https://x/?token=***&page=2")]
    [InlineData("""{"access_token": "abc", "n": 1}""", """{"access_token": ***, "n": 1}""")]
    [InlineData("Unexpected token: x", "Unexpected token: x")]
    [InlineData("the password was wrong", "the password was wrong")]
    public void Secrets_are_masked(string text, string expected) => Sanitiser.MaskSecrets(text).ShouldBe(expected);

    internal static bool IsStorable(string text, int limit) =>
        !text.Contains('\0') && !NameValidator.HasLoneSurrogate(text) && Encoding.UTF8.GetByteCount(text) <= limit
        && !text.Any(c => char.IsControl(c) && c is not ('\n' or '\t'));
}
