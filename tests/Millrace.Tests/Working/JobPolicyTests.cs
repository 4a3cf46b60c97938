using CsCheck;
using Millrace.Working;

namespace Millrace.Tests.Working;

public sealed class JobPolicyTests
{
    private static readonly Gen<TimeSpan?> delays = Gen.OneOf(
        Gen.Const((TimeSpan?)null),
        Gen.Const((TimeSpan?)Timeout.InfiniteTimeSpan),
        Gen.Long[1, TimeSpan.TicksPerDay * 366].Select(ticks => (TimeSpan?)TimeSpan.FromTicks(ticks)));

    private static readonly Gen<JobPolicy> policies =
        Gen.Select(Gen.Int[0, 20], delays, Gen.Select(Gen.Bool, RetryPolicyTests.Any), delays, delays).Select((attempts, timeout, retry, remove, failure) => new JobPolicy
        {
            MaxAttempts = attempts == 0 ? null : attempts,
            Timeout = timeout,
            Retry = retry.Item1 ? retry.Item2 : null,
            RemoveDelay = remove,
            FailureRemoveDelay = failure,
        });

    [Fact]
    public void Json_round_trips() =>
        policies.SampleSeeded(policy => JobPolicy.FromJson(policy.ToJson()).ShouldBe(policy));

    [Fact]
    public void Each_member_comes_from_the_first_place_that_sets_it() =>
        Gen.Select(policies, policies, policies, policies).SampleSeeded((a, b, c, d) =>
        {
            var resolved = JobPolicy.Resolve(a, b, c, d);

            resolved.MaxAttempts.ShouldBe(a.MaxAttempts ?? b.MaxAttempts ?? c.MaxAttempts ?? d.MaxAttempts ?? 10);
            resolved.Timeout.ShouldBe(a.Timeout ?? b.Timeout ?? c.Timeout ?? d.Timeout ?? Timeout.InfiniteTimeSpan);
            resolved.Retry.ShouldBe(a.Retry ?? b.Retry ?? c.Retry ?? d.Retry ?? RetryPolicy.Default);
            resolved.RemoveDelay.ShouldBe(a.RemoveDelay ?? b.RemoveDelay ?? c.RemoveDelay ?? d.RemoveDelay ?? TimeSpan.FromHours(1));
        });

    [Fact]
    public void One_remove_delay_sets_both()
    {
        var resolved = JobPolicy.Resolve(
            new JobPolicy { RemoveDelay = TimeSpan.FromMinutes(5) }, null, null, new JobPolicy { FailureRemoveDelay = TimeSpan.FromDays(30) });

        resolved.RemoveAfter(Outcome.Succeeded).ShouldBe(TimeSpan.FromMinutes(5));
        resolved.RemoveAfter(Outcome.Discarded).ShouldBe(TimeSpan.FromMinutes(5));
    }

    [Fact]
    public void Nothing_set_means_the_defaults()
    {
        var resolved = JobPolicy.Resolve(null, null, null, null);

        resolved.MaxAttempts.ShouldBe(10);
        resolved.Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
        resolved.RemoveAfter(Outcome.Succeeded).ShouldBe(TimeSpan.FromHours(1));
        resolved.RemoveAfter(Outcome.Discarded).ShouldBe(TimeSpan.FromDays(7));
        JobPolicy.Empty.ToJson().ShouldBeNull();
    }

    [Fact]
    public void An_infinite_remove_delay_keeps_the_job() =>
        JobPolicy.Resolve(new JobPolicy { RemoveDelay = Timeout.InfiniteTimeSpan }, null, null, null).RemoveAfter(Outcome.Succeeded).ShouldBeNull();

    [Fact]
    public void The_text_is_plain() =>
        new JobPolicy { MaxAttempts = 3, Timeout = Timeout.InfiniteTimeSpan, Retry = RetryPolicy.Every(TimeSpan.FromSeconds(1.5)) }.ToJson()
            .ShouldBe("""{"maxAttempts":3,"timeout":-1,"retry":{"kind":"every","delay":1.5}}""");

    [Theory]
    [InlineData("""{"maxAttempts":3,"somethingNew":{"a":[1]}}""", 3)]
    [InlineData("""{"maxAttempts":3,"retry":{"kind":"lunar"}}""", 3)]
    [InlineData("""{"maxAttempts":3,"retry":{"kind":"every","delay":-5},"timeout":0,"removeDelay":"1h"}""", 3)]
    [InlineData("""{"maxAttempts":0}""", null)]
    [InlineData("""{"maxAttempts":"3"}""", null)]
    [InlineData("""[1]""", null)]
    [InlineData("""{"maxAtt""", null)]
    public void What_this_version_does_not_understand_counts_as_not_set(string text, int? maxAttempts) =>
        JobPolicy.FromJson(text).ShouldBe(new JobPolicy { MaxAttempts = maxAttempts });

    [Fact]
    public void Faults_name_the_place_the_value_and_the_range()
    {
        var policy = new JobPolicy { MaxAttempts = 0, Timeout = TimeSpan.Zero, RemoveDelay = TimeSpan.FromSeconds(-7) };

        policy.Faults("JobOptions").ShouldBe([
            "JobOptions.MaxAttempts must be at least 1; it is 0.",
            "JobOptions.Timeout must be more than zero and at most 366 days, or infinite; it is 00:00:00.",
            "JobOptions.RemoveDelay must be zero to 36,500 days, or infinite to keep the job; it is -00:00:07.",
        ]);
    }
}
