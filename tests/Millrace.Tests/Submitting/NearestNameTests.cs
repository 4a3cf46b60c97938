using CsCheck;
using Millrace.Submitting;

namespace Millrace.Tests.Submitting;

public sealed class NearestNameTests
{
    private static readonly Gen<string> words = Gen.Char['a', 'd'].Array[0, 8].Select(chars => new string(chars));

    [Theory]
    [InlineData("SendReciept", "SendReceipt")]
    [InlineData("sendreceipt", "SendReceipt")]
    [InlineData("welcom", "welcome")]
    [InlineData("x", null)]
    [InlineData("completely-different", null)]
    public void The_nearest_name_is_found_or_none(string name, string? expected) =>
        NearestName.Find(name, ["SendReceipt", "SendReminder", "welcome"]).ShouldBe(expected);

    [Fact]
    public void The_question_fits_at_the_end_of_a_message()
    {
        NearestName.Question("welcom", ["welcome"]).ShouldBe(" Did you mean \"welcome\"?");
        NearestName.Question("welcom", []).ShouldBe("");
    }

    [Fact]
    public void Distance_is_zero_for_equal_names_alone_and_the_same_both_ways() =>
        Gen.Select(words, words).SampleSeeded((a, b) =>
            NearestName.Distance(a, b) == NearestName.Distance(b, a)
            && (NearestName.Distance(a, b) == 0) == (a == b)
            && NearestName.Distance(a, b) <= Math.Max(a.Length, b.Length));
}
