using Millrace.Processes;

namespace Millrace.Tests.Processes;

public sealed class FlightRecorderTests
{
    [Fact]
    public void The_parent_reads_what_the_child_was_running()
    {
        using var parents = FlightRecorder.Create();
        using (var childs = FlightRecorder.Open(parents.Path))
        {
            childs.Begin(0, 11, 1);
            childs.Begin(1, 12, 2);
            childs.Begin(FlightRecorder.Capacity - 1, 13, 3);
            childs.End(0);
        }

        parents.Read().ShouldNotBeNull().ShouldBe([(12L, 2), (13L, 3)], ignoreOrder: true);
    }

    [Fact]
    public void More_than_it_can_note_means_that_nothing_is_known()
    {
        using var parents = FlightRecorder.Create();
        using var childs = FlightRecorder.Open(parents.Path);
        childs.Begin(FlightRecorder.Capacity, 11, 1);

        parents.Read().ShouldBeNull();
    }

    [Fact]
    public void Its_file_goes_with_the_parents()
    {
        string path;
        using (var parents = FlightRecorder.Create())
            File.Exists(path = parents.Path).ShouldBeTrue();
        File.Exists(path).ShouldBeFalse();
    }
}
