using CsCheck;
using Millrace.Working;

namespace Millrace.Tests;

public sealed class RetryPolicyTests
{
    private static readonly Gen<TimeSpan> delays = Gen.Double[0, 366 * 86_400d].Select(TimeSpan.FromSeconds);

    internal static readonly Gen<RetryPolicy> Plain = Gen.OneOf(
        Gen.Const(RetryPolicy.None),
        delays.Select(RetryPolicy.Every),
        delays.Array[1, 5].Select(RetryPolicy.After),
        Gen.Select(Gen.Double[0.001, 366 * 86_400d], Gen.Double[1, 100], Gen.Double[0, 1]).Select((first, factor, share) =>
            RetryPolicy.Exponential(TimeSpan.FromSeconds(first), factor, TimeSpan.FromSeconds(first + share * (366 * 86_400d - first)))));

    internal static readonly Gen<RetryPolicy> Any = Gen.Select(Plain, Plain, Gen.Bool).Select((policy, other, withRules) =>
        withRules ? policy.On<TimeoutException>(other).NeverOn<ArgumentException>() : policy);

    [Fact]
    public void A_delay_is_never_negative_never_above_the_longest_and_never_above_366_days() =>
        Gen.Select(Any, Gen.Int[1, int.MaxValue], Gen.Double[0, 1]).SampleSeeded((policy, attempt, random) =>
        {
            var delay = policy.NextDelay(attempt, int.MaxValue, null, random);
            return delay is null || (delay >= TimeSpan.Zero && delay <= policy.Longest && delay <= TimeSpan.FromDays(366));
        });

    [Fact]
    public void Giving_up_depends_on_the_number_of_attempts_alone() =>
        Gen.Select(Plain, Gen.Int[1, 50], Gen.Int[1, 50], Gen.Double[0, 1]).SampleSeeded((policy, attempt, max, random) =>
            policy.NextDelay(attempt, max, null, random) is null == (attempt >= max || policy.Kind == RetryKind.None));

    [Fact]
    public void Exponential_delays_grow_within_their_jitter() =>
        Gen.Select(Gen.Int[1, 30], Gen.Double[0, 1]).SampleSeeded((attempt, random) =>
        {
            var middle = Math.Min(5 * Math.Pow(3, attempt - 1), 43_200);
            var seconds = RetryPolicy.Default.NextDelay(attempt, 100, null, random)!.Value.TotalSeconds;
            return seconds >= middle * 0.8 - 0.001 && seconds <= Math.Min(middle * 1.2, 43_200) + 0.001;
        });

    [Fact]
    public void Ten_attempts_of_the_default_spread_over_about_half_a_day()
    {
        var sum = Enumerable.Range(1, 9).Sum(n => RetryPolicy.Default.NextDelay(n, 10, null, 0.5)!.Value.TotalHours);

        sum.ShouldBe(13.67, 0.01);
        RetryPolicy.Default.NextDelay(10, 10, null, 0.5).ShouldBeNull();
    }

    [Fact]
    public void Jobs_at_the_longest_delay_do_not_come_back_at_one_moment()
    {
        var policy = RetryPolicy.Exponential(longest: TimeSpan.FromMinutes(1));

        var moments = Enumerable.Range(0, 100).Select(i => policy.NextDelay(50, 100, null, i / 100d)).Distinct();

        moments.Count().ShouldBe(100);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 10)]
    [InlineData(3, 60)]
    [InlineData(99, 60)]
    public void The_last_delay_of_a_list_repeats(int attempt, int seconds)
    {
        var policy = RetryPolicy.After(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60));

        policy.NextDelay(attempt, 100, null, 0.9).ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public void A_rule_fits_derived_exceptions_and_the_nearest_rule_wins()
    {
        var policy = RetryPolicy.Every(TimeSpan.FromSeconds(1))
            .NeverOn<ArgumentException>()
            .On<SystemException>(RetryPolicy.Every(TimeSpan.FromSeconds(2)));

        policy.NextDelay(1, 5, new ArgumentNullException("x"), 0).ShouldBeNull();
        policy.NextDelay(1, 5, new TimeoutException(), 0).ShouldBe(TimeSpan.FromSeconds(2));
        policy.NextDelay(1, 5, new Exception(), 0).ShouldBe(TimeSpan.FromSeconds(1));
        policy.NextDelay(1, 5, null, 0).ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_second_rule_for_a_type_replaces_the_first()
    {
        var policy = RetryPolicy.Default.NeverOn<TimeoutException>().On<TimeoutException>(RetryPolicy.Every(TimeSpan.Zero));

        policy.NextDelay(1, 5, new TimeoutException(), 0).ShouldBe(TimeSpan.Zero);
        policy.Rules.Count.ShouldBe(1);
    }

    [Fact]
    public void Values_out_of_range_are_refused()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => RetryPolicy.Every(TimeSpan.FromSeconds(-1)));
        Should.Throw<ArgumentOutOfRangeException>(() => RetryPolicy.Every(TimeSpan.FromDays(367)));
        Should.Throw<ArgumentOutOfRangeException>(() => RetryPolicy.Exponential(TimeSpan.Zero));
        Should.Throw<ArgumentOutOfRangeException>(() => RetryPolicy.Exponential(factor: 0.5));
        Should.Throw<ArgumentOutOfRangeException>(() => RetryPolicy.Exponential(factor: double.NaN));
        Should.Throw<ArgumentOutOfRangeException>(() => RetryPolicy.Exponential(TimeSpan.FromHours(2), longest: TimeSpan.FromHours(1)));
        Should.Throw<ArgumentException>(() => RetryPolicy.After());
        Should.Throw<ArgumentException>(() => RetryPolicy.None.On<Exception>(RetryPolicy.None.NeverOn<TimeoutException>()));
    }
}
