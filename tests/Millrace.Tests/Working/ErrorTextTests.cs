using CsCheck;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class ErrorTextTests
{
    [Fact]
    public void Type_message_stack_and_causes_are_kept_in_order()
    {
        var text = ErrorText.Of(Thrown(new InvalidOperationException("outer", new TimeoutException("inner"))));

        text.ShouldStartWith("System.InvalidOperationException: outer\n   at Millrace.Tests.Working.ErrorTextTests.Thrown");
        text.ShouldEndWith("caused by System.TimeoutException: inner");
    }

    [Fact]
    public void All_of_an_aggregate_are_named() =>
        ErrorText.Of(new AggregateException("several", new TimeoutException("a"), new ArgumentException("b")))
            .ShouldContain("caused by System.TimeoutException: a\ncaused by System.ArgumentException: b");

    [Fact]
    public void The_stack_is_cut_before_the_message()
    {
        var text = ErrorText.Of(new WithStack(new string('m', 5_000), new string('s', 100_000)), 8_000 + 4_000);

        text.ShouldContain(new string('m', 5_000));
        text.ShouldContain("(cut, ");
        SanitiserTests.IsStorable(text, 12_000).ShouldBeTrue();
    }

    [Fact]
    public void A_huge_message_leaves_room_for_the_stack()
    {
        var text = ErrorText.Of(new WithStack(new string('m', 10_000_000), "   at Here()"));

        text.ShouldContain("(cut, 10,000,000 bytes)");
        text.ShouldEndWith("   at Here()");
    }

    [Fact]
    public void An_exception_whose_members_throw_is_described_all_the_same() =>
        ErrorText.Of(new Hostile()).ShouldBe(
            """
            Millrace.Tests.Working.ErrorTextTests+Hostile: (Message could not be read: it threw System.NotSupportedException)
            (StackTrace could not be read: it threw System.NotSupportedException)
            """.ReplaceLineEndings("\n"));

    [Fact]
    public void Secrets_of_a_connection_string_are_masked() =>
        ErrorText.Of(new InvalidOperationException("Cannot open Host=db;Password=s3cret;Database=x")).ShouldNotContain("s3cret");

    [Fact]
    public void A_long_chain_ends()
    {
        Exception exception = new TimeoutException("the root");
        for (var i = 0; i < 1_000; i++)
            exception = new InvalidOperationException($"layer {i}", exception);

        ErrorText.Of(exception).Split('\n').Length.ShouldBe(8);
    }

    [Fact]
    public void The_result_is_always_storable_and_within_the_limit() =>
        Gen.Select(SanitiserTests.Texts, SanitiserTests.Texts, SanitiserTests.Texts, Gen.Int[200, 2_000]).SampleSeeded((message, stack, inner, limit) =>
            SanitiserTests.IsStorable(ErrorText.Of(new WithStack(message, stack, new WithStack(inner + message, stack + stack)), limit), limit));

    private static Exception Thrown(Exception exception)
    {
        try
        {
            throw exception;
        }
        catch (Exception thrown)
        {
            return thrown;
        }
    }

    private sealed class WithStack(string message, string stack, Exception? inner = null) : Exception(message, inner)
    {
        public override string StackTrace => stack;
    }

    private sealed class Hostile : Exception
    {
        public override string Message => throw new NotSupportedException();

        public override string StackTrace => throw new NotSupportedException();

        public override string ToString() => throw new NotSupportedException();
    }
}
