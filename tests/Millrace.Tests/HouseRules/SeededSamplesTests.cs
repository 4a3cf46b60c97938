using CsCheck;

namespace Millrace.Tests.HouseRules;

public sealed class SeededSamplesTests
{
    public SeededSamplesTests() => Assert.SkipWhen(Environment.GetEnvironmentVariable("MILLRACE_TEST_EXPLORE") is { Length: > 0 }, "MILLRACE_TEST_EXPLORE draws other cases.");

    [Fact]
    public void The_cases_are_the_same_each_time()
    {
        var first = new List<int>();
        var second = new List<int>();

        Gen.Int.SampleSeeded(first.Add, iter: 50);
        Gen.Int.SampleSeeded(second.Add, iter: 50);

        first.Distinct().Count().ShouldBeGreaterThan(40);
        second.ShouldBe(first);
    }

    [Fact]
    public async Task Several_threads_try_the_same_cases()
    {
        var one = new List<int>();
        var several = new System.Collections.Concurrent.ConcurrentBag<int>();

        Gen.Int.SampleSeeded(one.Add);
        await Gen.Int.SampleSeededAsync(
            async value =>
            {
                await Task.Yield();
                several.Add(value);
            },
            threads: 4);

        several.ShouldBe(one, ignoreOrder: true);
    }

    [Fact]
    public async Task A_case_that_fails_is_shrunk_and_told_with_its_seed()
    {
        Should.Throw<CsCheckException>(() => Gen.Int[0, 1_000].SampleSeeded(value => value < 10)).Message.ShouldContain("Set seed: \"");
        Should.Throw<CsCheckException>(() => Gen.Int[0, 1_000].SampleSeeded(value => value.ShouldBeLessThan(10))).Message.ShouldContain("Set seed: \"");
        (await Should.ThrowAsync<CsCheckException>(() => Gen.Int[0, 1_000].SampleSeededAsync(value => value < 10 ? Task.CompletedTask : throw new TimeoutException()))).Message.ShouldContain("Set seed: \"");
    }

    [Fact]
    public async Task A_case_that_fails_only_once_has_failed()
    {
        var tries = 0;
        Should.Throw<CsCheckException>(() => Gen.Int.SampleSeeded(_ => ++tries > 1)).Message.ShouldContain("held when it was tried again");

        tries = 0;
        (await Should.ThrowAsync<CsCheckException>(() => Gen.Int.SampleSeededAsync(_ => ++tries > 1 ? Task.CompletedTask : throw new TimeoutException())))
            .InnerException.ShouldBeOfType<TimeoutException>();
    }
}
