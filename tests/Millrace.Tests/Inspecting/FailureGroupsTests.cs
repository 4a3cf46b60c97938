using CsCheck;
using Millrace.Inspecting;
using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Tests.Inspecting;

public sealed class FailureGroupsTests
{
    private static readonly DateTimeOffset now = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    private const string Timeout = "System.TimeoutException: Order 4711 was not answered within 00:00:30.\n   at System.Net.Http.HttpClient.Send(Int32 x)\n   at Shop.Orders.SendAsync(Order order) in Orders.cs:line 42\n   at Millrace.Working.AttemptRunner.RunAsync()";

    [Fact]
    public void Failures_that_differ_only_in_what_varies_are_one_group()
    {
        var groups = Group(Failure(3, Timeout), Failure(2, Timeout.Replace("4711", "18").Replace("line 42", "line 43")), Failure(3, Timeout));

        var group = groups.ShouldHaveSingleItem();
        group.Title.ShouldBe("System.TimeoutException: Order # was not answered within #:#:#.");
        group.Count.ShouldBe(3);
        group.Jobs.ShouldBe(2);
        group.SampleJob.ShouldBe(3);
        group.Sample.ShouldBe(Timeout);
        group.Fingerprint.Length.ShouldBe(16);
    }

    [Theory]
    [InlineData("Shop.Orders.SendAsync", "Shop.Bills.SendAsync")]
    [InlineData("TimeoutException", "TimedOutException")]
    [InlineData("was not answered", "was refused")]
    public void Another_frame_kind_or_message_is_another_group(string part, string other) => Group(Failure(1, Timeout), Failure(2, Timeout.Replace(part, other))).Count.ShouldBe(2);

    [Fact]
    public void Another_type_is_another_group() => Group(Failure(1, Timeout), Failure(2, Timeout) with { Type = "other" }).Count.ShouldBe(2);

    [Fact]
    public void Frames_of_the_platform_do_not_tell_causes_apart() =>
        Group(Failure(1, Timeout), Failure(2, Timeout.Replace("System.Net.Http.HttpClient.Send(Int32 x)", "System.Net.Sockets.Socket.Send()"))).Count.ShouldBe(1);

    [Theory]
    [InlineData("Could not find file '/data/in/a-1.txt'.", "Could not find file '…'.")]
    [InlineData("Reading /data/in/a-1.txt failed", "Reading … failed")]
    [InlineData("Job 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone", "Job # is gone")]
    [InlineData("Commit 3f2a9bc1 is gone", "Commit # is gone")]
    [InlineData("Cannot convert Int32 to Int64", "Cannot convert Int# to Int#")]
    [InlineData("It's 5 o'clock, don't", "It's # o'clock, don't")]
    [InlineData("said \"no way\" twice", "said \"…\" twice")]
    [InlineData("Host=x;Password=hunter2;", "Host=x;Password=•••• redacted;")]
    [InlineData("", "")]
    public void A_pattern_leaves_out_what_varies(string line, string pattern) => ErrorShape.Of(line).Pattern.ShouldBe(pattern);

    [Fact]
    public void The_group_with_the_most_comes_first_and_the_trend_adds_up()
    {
        var groups = Group(
            Failure(1, "a: x", -0.5),
            Failure(2, Timeout, -1),
            Failure(3, Timeout, -12.2),
            Failure(4, Timeout, -24));

        groups.Select(group => group.Count).ShouldBe([3, 1]);
        groups[0].First.ShouldBe(now.AddHours(-24));
        groups[0].Last.ShouldBe(now.AddHours(-1));
        groups[0].Trend.Sum().ShouldBe(3);
        groups[0].Trend[0].ShouldBe(1);
        groups[0].Trend[11].ShouldBe(1);
        groups[0].Trend[23].ShouldBe(1);
    }

    [Fact]
    public void The_filter_finds_the_type_and_what_the_errors_have_in_common() =>
        Group(Failure(1, Timeout)).Single().Filter.ShouldBe("type:order error~\"System.TimeoutException: Order\"");

    [Fact]
    public void Every_filter_is_read_and_its_text_stands_in_the_error() =>
        Gen.Select(Gen.OneOf(Gen.String, Gen.OneOf("System.X: a b c", "'x y'", "\"", "\\", "12", " Password=a;", "\n", "字字字", "long text of words ").Array[0, 9].Select(string.Concat)), Gen.String[1, 20]).SampleSeeded(
            (error, type) =>
            {
                if (type.Contains('\0') || NameValidator.HasLoneSurrogate(type) || error.Contains('\0') || NameValidator.HasLoneSurrogate(error))
                    return;
                var filter = Group(Failure(1, error) with { Type = type }).Single().Filter;
                foreach (var term in FilterParser.Parse(filter, now).Terms.Cast<TextTerm>().Where(term => term.Field == TextField.Error))
                    error.ShouldContain(term.Values.Single());
            });

    private static IReadOnlyList<FailureGroup> Group(params FailureRow[] failures) => FailureGroup.Group(failures, now.AddHours(-24), now);

    private static FailureRow Failure(long job, string error, double hours = -1) => new(job, 1, 1, "order", null, now.AddHours(hours), Outcome.Failed, error);
}
