namespace Millrace.Tests.Protocol;

/// <summary>The rules by which jobs change hands, in every order of events that is possible. No database: the stores are held to the same rules by their contract.</summary>
public sealed class ProtocolTests(ITestOutputHelper output)
{
    [Fact]
    public void The_protocol_holds_in_every_order_of_events() => Hold(Scenario.Sound);

    [Fact]
    [Trait("Speed", "Slow")]
    public void The_protocol_holds_in_every_order_of_more_events()
    {
        Hold(Scenario.SoundAndWide);
        Hold(Scenario.SoundAndWide.Where(scenario => scenario.Allows(Steps.Prune)), Guard.LeaseAndJobAreThere);
        Hold(Scenario.SoundAndWide.Where(scenario => scenario.Allows(Steps.Prune)), Guard.LeaseListsWhatIsNotSure);
    }

    [Fact]
    public void Each_rule_that_is_left_out_is_missed()
    {
        var untried = Enum.GetValues<Flaw>().Except(Scenario.Mutants.Select(mutant => mutant.Flaw)).ToArray();
        untried.ShouldBe([Flaw.None]);
        foreach (var mutant in Scenario.Mutants)
        {
            var exploration = Exploration.Of(mutant);
            output.WriteLine($"{mutant.Flaw,-24} {exploration}");
            exploration.Fault.ShouldNotBeNull($"{mutant.Flaw} went unnoticed");
        }
    }

    /// <summary>Without the lists of its lease a repeated end could be accepted after its job was pruned, unless the job's own row is looked at instead. The first sending of a node that lives can do without.</summary>
    [Fact]
    public void An_end_that_is_repeated_or_of_a_dead_node_needs_the_lists_of_its_lease_or_the_row_of_its_job()
    {
        var refuted = Scenario.Sound.Select(scenario => (scenario.Name, Found: Exploration.Of(scenario with { Guard = Guard.LeaseIsThere }))).Where(each => each.Found.Fault is not null).ToArray();
        foreach (var (name, found) in refuted)
            output.WriteLine($"lease without its lists, {name}: {found}");
        refuted.Select(each => each.Name).ShouldBe(["prune"]);

        Hold(Scenario.Sound, Guard.LeaseAndJobAreThere);
        Hold(Scenario.Sound, Guard.LeaseListsWhatIsNotSure);
    }

    private void Hold(IEnumerable<Scenario> scenarios, Guard guard = default)
    {
        var states = 0;
        foreach (var scenario in scenarios)
        {
            var began = TimeProvider.System.GetTimestamp();
            var exploration = Exploration.Of(scenario with { Guard = guard });
            output.WriteLine($"{scenario.Name,-42} {exploration} ({TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s)");
            exploration.Fault.ShouldBeNull(scenario.Name);
            states += exploration.States;
        }

        output.WriteLine($"{states:N0} states in all");
    }
}
