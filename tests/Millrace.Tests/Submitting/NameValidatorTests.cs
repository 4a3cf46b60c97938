using CsCheck;
using Millrace.Submitting;

namespace Millrace.Tests.Submitting;

public sealed class NameValidatorTests
{
    [Theory]
    [InlineData("welcome-42")]
    [InlineData("sync:user 42 / 字 😀")]
    public void A_line_of_visible_text_is_a_name(string name) => NameValidator.Fault("Tag", name).ShouldBeNull();

    [Theory]
    [InlineData("", "Tag is empty; it must have 1 to 200 bytes.")]
    [InlineData("a\0b", "Tag \"a\ufffdb\" contains the control character U+0000; names are single lines of visible text.")]
    [InlineData("a\nb", "Tag \"a\ufffdb\" contains the control character U+000A; names are single lines of visible text.")]
    public void Anything_else_is_refused_with_a_reason(string name, string fault) => NameValidator.Fault("Tag", name).ShouldBe(fault);

    // Not a case of the table: a lone surrogate does not survive in an attribute.
    [Fact]
    public void Half_of_a_surrogate_pair_is_refused() =>
        NameValidator.Fault("Tag", "a\ud800").ShouldBe("Tag \"a\ufffd\" contains half of a surrogate pair, which is not a character.");

    [Fact]
    public void The_limit_counts_bytes()
    {
        NameValidator.Fault("Tag", new string('é', 100)).ShouldBeNull();
        NameValidator.Fault("Tag", new string('é', 101)).ShouldBe(
            $"Tag \"{new string('é', 60)}…\" has 202 bytes in UTF-8; at most 200 are allowed. Use a shorter one, or a hash of it.");
    }

    [Fact]
    public void A_refused_name_blames_its_parameter() =>
        Should.Throw<ArgumentException>(() => NameValidator.Check("Queue", "", "options")).ParamName.ShouldBe("options");

    [Fact]
    public void Headers_have_4_KB_in_all()
    {
        NameValidator.CheckHeaders(new Dictionary<string, string> { ["culture"] = "de", ["text"] = new string('x', 4096 - 13) });

        Should.Throw<ArgumentException>(() => NameValidator.CheckHeaders(new Dictionary<string, string> { ["culture"] = "de", ["text"] = new string('x', 4096 - 12) }))
            .Message.ShouldContain("4,097 bytes");
    }

    [Theory]
    [InlineData("", "x")]
    [InlineData("a\nb", "x")]
    [InlineData("a", "x\0")]
    [InlineData("a", null)]
    public void A_bad_header_is_refused(string name, string? value) =>
        Should.Throw<ArgumentException>(() => NameValidator.CheckHeaders(new Dictionary<string, string> { [name] = value! }));

    [Fact]
    public void Lone_surrogates_are_found_as_the_strict_encoder_finds_them() =>
        Gen.OneOf(Gen.Char['a', 'c'], Gen.Char['\ud7ff', '\ue000'], Gen.OneOf('\ud83d', '\ude00')).Array[0, 8].SampleSeeded(chars =>
        {
            var isValid = true;
            try
            {
                new System.Text.UTF8Encoding(false, true).GetBytes(chars);
            }
            catch (System.Text.EncoderFallbackException)
            {
                isValid = false;
            }

            return NameValidator.HasLoneSurrogate(chars) == !isValid;
        });
}
