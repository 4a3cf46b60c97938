using Millrace.Processes;

namespace Millrace.Tests.Processes;

public sealed class OutputTailTests
{
    private readonly List<string> lines = [];

    [Fact]
    public async Task Lines_are_passed_on_and_the_last_ones_kept()
    {
        var tail = await ReadAsync(string.Concat(Enumerable.Range(1, 3000).Select(number => $"line {number}\r\n")));

        lines.Count.ShouldBe(3000);
        tail.Last[^1].ShouldBe("line 3000");
        tail.Last.Sum(line => line.Length).ShouldBeInRange(5900, 6000);
    }

    [Fact]
    public async Task Megabytes_without_a_line_end_are_one_short_line()
    {
        await ReadAsync(new string('x', 5_000_000));

        lines.ShouldHaveSingleItem().ShouldBe(new string('x', 2000) + "… (and 4998000 more characters)");
    }

    [Fact]
    public async Task What_would_steer_a_terminal_is_made_harmless()
    {
        await ReadAsync("\u001b[2Jboo\n");

        lines.ShouldHaveSingleItem().ShouldNotContain('\u001b');
    }

    private async Task<OutputTail> ReadAsync(string text)
    {
        var tail = new OutputTail(lines.Add);
        await tail.ReadAsync(new StringReader(text), TestContext.Current.CancellationToken);
        return tail;
    }
}
