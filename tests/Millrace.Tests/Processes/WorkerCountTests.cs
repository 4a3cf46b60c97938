using Millrace.Processes;

namespace Millrace.Tests.Processes;

public sealed class WorkerCountTests
{
    [Theory]
    [InlineData("cpus")]
    [InlineData("CPUS")]
    public void One_for_each_processor(string text)
    {
        WorkerProcesses.TryParse(text, out var processes).ShouldBeTrue();
        processes.Count.ShouldBe(Environment.ProcessorCount);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("257")]
    [InlineData("two")]
    [InlineData("1.5")]
    [InlineData(" 1")]
    public void Anything_else_is_refused_with_the_value(string text) =>
        WorkerCount.Apply(text, new WorkerOptions()).ShouldBe($"The environment variable MILLRACE_WORKERS is \"{text}\"; it must be \"cpus\" or a number from 0 to 256.");

    [Fact]
    public void The_operators_word_comes_before_the_codes()
    {
        var options = new WorkerOptions { Processes = WorkerProcesses.PerCpu };

        WorkerCount.Apply("3", options).ShouldBeNull();

        options.Processes.Count.ShouldBe(3);
    }

    [Fact]
    public void The_codes_number_is_checked_too() =>
        WorkerCount.Apply(null, new WorkerOptions { Processes = 1000 }).ShouldBe("WorkerOptions.Processes must be WorkerProcesses.PerCpu or a number from 0 to 256; it is 1000.");

    [Theory]
    [InlineData(0, "ended with exit code 0 although nobody had asked it to")]
    [InlineData(3, "ended with exit code 3")]
    [InlineData(137, "was ended by signal 9 (SIGKILL: somebody killed it, or the system had no memory left)")]
    [InlineData(139, "was ended by signal 11 (SIGSEGV)")]
    [InlineData(162, "was ended by signal 34")]
    public void An_end_is_told_in_words(int code, string words) => ExitText.Of(code, isUnix: true).ShouldBe(words);

    [Fact]
    public void Where_there_are_no_signals_a_code_is_a_code() => ExitText.Of(139, isUnix: false).ShouldBe("ended with exit code 139");
}
