using CsCheck;
using Millrace.Storage;
using Millrace.Testing;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class LeaseBookTests
{
    private readonly TestClock time = new();
    private readonly LeaseBook book;

    public LeaseBookTests() => book = new LeaseBook(time);

    private readonly Guid lease = Guid.NewGuid();

    // Upkeep must never take a lease in flight for a forgotten one.
    [Fact]
    public void A_lease_is_known_from_before_its_claim_until_its_deletion_was_answered()
    {
        book.Knows(lease).ShouldBeFalse();
        book.Expect(lease);
        book.Knows(lease).ShouldBeTrue();
        book.ToClose().ShouldBeEmpty();

        book.Opened(lease, 1);
        book.Ended([EndOf(lease)]);

        book.ToClose().ShouldBe([lease]);
        book.Knows(lease).ShouldBeTrue();
        book.Closed([lease]);
        book.Knows(lease).ShouldBeFalse();
    }

    [Fact]
    public void An_empty_claim_leaves_no_lease()
    {
        book.Expect(lease);
        book.Opened(lease, 0);

        book.Knows(lease).ShouldBeFalse();
    }

    [Fact]
    public void A_lease_shrinks_at_each_quarter_and_not_when_it_is_small()
    {
        var small = Guid.NewGuid();
        book.Expect(lease);
        book.Opened(lease, 8);
        book.Expect(small);
        book.Opened(small, 7);

        book.Ended([EndOf(lease)]);
        book.Ended([EndOf(small)]);
        book.ToShrink().ShouldBeEmpty();
        book.Ended([EndOf(lease)]);
        book.Ended([EndOf(small)]);
        book.ToShrink().ShouldBeEmpty("it is young, and about to be empty");
        time.Advance(TimeSpan.FromSeconds(2));
        book.ToShrink().ShouldBe([lease]);
        book.ToShrink().ShouldBeEmpty("it was asked for once");
    }

    [Fact]
    public void A_large_lease_is_deleted_when_the_store_has_said_that_each_of_its_runs_has_ended()
    {
        book.Expect(lease);
        book.Opened(lease, 100);
        for (var i = 0; i < 100; i++)
            book.Ended([EndOf(lease)]);
        book.ToClose().ShouldBeEmpty();
        for (var i = 0; i < 100; i++)
        {
            book.ToDelete().ShouldBeEmpty();
            book.Answered([EndOf(lease)], [EndVerdict.Accepted]);
        }

        book.ToDelete().ShouldBe([lease]);
        book.ToClose().ShouldBeEmpty();
    }

    [Fact]
    public void The_store_makes_sure_of_a_large_lease_of_which_it_has_refused_an_end()
    {
        book.Expect(lease);
        book.Opened(lease, 100);
        for (var i = 0; i < 100; i++)
        {
            book.Ended([EndOf(lease)]);
            book.Answered([EndOf(lease)], [i == 50 ? EndVerdict.Stale : EndVerdict.Accepted]);
        }

        book.ToDelete().ShouldBeEmpty();
        book.ToClose().ShouldBe([lease]);
    }

    [Fact]
    public void An_end_of_a_lease_that_was_dropped_changes_nothing()
    {
        book.Expect(lease);
        book.Opened(lease, 1);
        book.Clear();

        book.Ended([EndOf(lease)]);
        book.ToClose().ShouldBeEmpty();
    }

    [Fact]
    public void Whatever_happens_only_what_has_nothing_open_is_closed_and_only_what_has_is_shrunk() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 3], Gen.Int[1, 40]).Array[1, 60].SampleSeeded(steps =>
        {
            var clock = new TestClock();
            var some = new LeaseBook(clock);
            var ids = Enumerable.Range(0, 5).Select(_ => Guid.NewGuid()).ToArray();
            var open = new Dictionary<Guid, int?>();
            foreach (var (which, step, count) in steps)
            {
                var id = ids[which];
                switch (step)
                {
                    case 0 when !open.ContainsKey(id):
                        some.Expect(id);
                        open[id] = null;
                        break;
                    case 1 when open.TryGetValue(id, out var expected) && expected is null:
                        some.Opened(id, count);
                        open[id] = count;
                        break;
                    case 2 when open.GetValueOrDefault(id) > 0:
                        some.Ended([EndOf(id)]);
                        open[id]--;
                        break;
                    case 3:
                        clock.Advance(TimeSpan.FromSeconds(1));
                        var close = some.ToClose();
                        close.ShouldBe(open.Where(pair => pair.Value == 0).Select(pair => pair.Key), ignoreOrder: true);
                        some.ToShrink().ShouldAllBe(shrink => open[shrink] > 0);
                        some.Closed(close);
                        close.ForEach(closed => open.Remove(closed));
                        break;
                }

                ids.ShouldAllBe(each => some.Knows(each) == open.ContainsKey(each));
            }
        });

    private static AttemptEnd EndOf(Guid lease) => new()
    {
        Claim = new Claim { Lease = lease, JobId = 1, Run = 1, Attempt = 1, Type = "some", Queue = "default", Data = "{}" },
        Outcome = Outcome.Succeeded,
        Charged = true,
        Started = DateTimeOffset.UnixEpoch,
        Finished = DateTimeOffset.UnixEpoch,
    };
}
