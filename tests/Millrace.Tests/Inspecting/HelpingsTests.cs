using Millrace.Storage;

namespace Millrace.Tests.Inspecting;

public sealed class HelpingsTests
{
    private static readonly Helpings helpings = new(100_000, TimeSpan.FromMilliseconds(80));

    [Theory]
    // Fast: eight times as many.
    [InlineData(50, 50, 0, 0, 400)]
    [InlineData(50, 50, 1, 1, 400)]
    // As many as fit into what is left.
    [InlineData(1_000, 1_000, 40, 40, 1_000)]
    [InlineData(5_000, 4_000, 20, 50, 6_000)]
    // Not worth another statement.
    [InlineData(5_000, 4_000, 60, 79, 0)]
    // The time is up, by a little or by much.
    [InlineData(50, 50, 80, 80, 0)]
    [InlineData(50, 50, 900, 900, 0)]
    // No more than there may be.
    [InlineData(99_000, 30_000, 5, 20, 1_000)]
    [InlineData(100_000, 30_000, 5, 20, 0)]
    public void The_next_helping_fits_into_the_time_that_is_left(long seen, int last, int tookInMs, int spentInMs, int next) =>
        helpings.Next(seen, last, TimeSpan.FromMilliseconds(tookInMs), TimeSpan.FromMilliseconds(spentInMs)).ShouldBe(next);

    [Fact]
    public void Without_patience_there_is_one_helping() => new Helpings(100_000, TimeSpan.Zero).Next(50, 50, TimeSpan.Zero, TimeSpan.Zero).ShouldBe(0);
}
