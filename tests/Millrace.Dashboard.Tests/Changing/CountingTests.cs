using Millrace.Dashboard.Changing;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Changing;

public sealed class CountingTests
{
    // A token that is too long would be none.
    [Fact]
    public void However_many_pieces_come_only_the_hundred_names_with_the_most_are_kept()
    {
        var preview = new Preview { Q = "", At = 0, Target = "all jobs", Kind = "retry", UpToId = 1_000, Count = 200, By = "ana" };
        var rest = Pending.Of(Piece("a", each: 2, next: 10)).ShouldNotBeNull();

        var sum = Counting.Add(preview, rest, Piece("b", each: 3, next: 20));

        sum.Count.ShouldBe(500);
        sum.ByType.Count.ShouldBe(MatchCount.MostNames);
        sum.ByType.Keys.ShouldAllBe(name => name.StartsWith('b'));
        sum.ByQueue.Count.ShouldBe(MatchCount.MostNames);
        sum.ByState[StateSet.Discarded].ShouldBe(500);
        sum.Next.ShouldBe(20);
    }

    private static MatchCount Piece(string prefix, long each, long next)
    {
        var names = Enumerable.Range(0, MatchCount.MostNames).ToDictionary(i => $"{prefix}{i}", _ => each);
        var count = each * MatchCount.MostNames;
        return new MatchCount(count, 0, new Dictionary<StateSet, long> { [StateSet.Discarded] = count }, names, names, [], 1_000, true, next);
    }
}
