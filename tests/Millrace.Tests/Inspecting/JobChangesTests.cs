using Millrace.Storage;
using Shouldly;

namespace Millrace.Tests.Inspecting;

public sealed class JobChangesTests
{
    [Fact]
    public void A_kind_is_stored_in_lower_case_with_its_words_joined()
    {
        JobChanges.WordOf(OperationKind.Retry).ShouldBe("retry");
        JobChanges.WordOf(OperationKind.RunNow).ShouldBe("run_now");
        JobChanges.WordOf(OperationKind.PauseSchedule).ShouldBe("pause_schedule");
        Should.Throw<ArgumentOutOfRangeException>(() => JobChanges.WordOf((OperationKind)99));
    }

    [Fact]
    public void Every_kind_has_a_word_of_its_own()
    {
        foreach (var kind in Enum.GetValues<OperationKind>())
            JobChanges.KindOf(JobChanges.WordOf(kind)).ShouldBe(kind);

        Should.Throw<FormatException>(() => JobChanges.KindOf("juggle")).Message.ShouldContain("juggle");
    }
}
