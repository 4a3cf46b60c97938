using CsCheck;
using Millrace.Processes;

namespace Millrace.Tests.Processes;

public sealed class ChildMessageTests
{
    public static TheoryData<string> Nonsense => ["", "read", "ready now", "node 1", "began 1 2", "began 1 x 3", "began 1 2 99999999999999", "began -1 2 3", "ended 1", "ended 1 2 3", "alive?", "\0"];

    [Fact]
    public void Every_message_arrives_as_it_was_sent()
    {
        ChildMessage[] messages =
        [
            new ChildMessage.Node(Guid.NewGuid()), new ChildMessage.Ready(), new ChildMessage.Alive(), new ChildMessage.Fault("no such file"), new ChildMessage.Recycle("too large"),
            new ChildMessage.Began(7, 3, TimeSpan.FromSeconds(2)), new ChildMessage.Ended(7, 3),
        ];
        foreach (var message in messages)
            ChildMessage.Parse(message.ToLine()).ShouldBe(message);
    }

    [Theory]
    [MemberData(nameof(Nonsense))]
    public void What_no_child_would_say_is_nothing(string line) => ChildMessage.Parse(line).ShouldBeNull();

    [Fact]
    public void Whatever_a_handler_writes_into_the_pipe_is_survived() => Gen.String.SampleSeeded(line => ChildMessage.Parse(line)?.ToLine().Length is null or >= 0);

    [Fact]
    public void A_fault_of_many_lines_is_one_line_and_bounded() => new ChildMessage.Fault(new string('x', 100_000) + "\n\n").ToLine().ShouldSatisfyAllConditions(
        line => line.Length.ShouldBeLessThan(ChildMessage.MaxLength),
        line => line.ShouldNotContain('\n'));
}
