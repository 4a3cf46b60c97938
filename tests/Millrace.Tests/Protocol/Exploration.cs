namespace Millrace.Tests.Protocol;

/// <summary>Every state that can be reached, breadth first, so that the trace of a fault is as short as can be.</summary>
internal sealed class Exploration
{
    private readonly Scenario scenario;
    private readonly Dictionary<World, int> numbers = [];
    private readonly List<World> reached = [];

    // From which state, and by which step, each was reached first; and all steps that are no faults.
    private readonly List<(int From, string By)> ways = [];
    private readonly List<(int From, int To)> steps = [];

    private Exploration(Scenario scenario) => this.scenario = scenario;

    public int States => reached.Count;

    /// <summary>What is wrong, in the first state where something is; null when nothing is.</summary>
    public string? Fault { get; private set; }

    /// <summary>How it came to that.</summary>
    public IReadOnlyList<string> Trace { get; private set; } = [];

    public static Exploration Of(Scenario scenario)
    {
        var exploration = new Exploration(scenario);
        exploration.Explore();
        return exploration;
    }

    public override string ToString() => Fault is null ? $"{States,9:N0} states, all well" : $"{States,9:N0} states: {Fault}{string.Concat(Trace.Select((step, i) => $"{Environment.NewLine}      {i + 1}. {step}"))}";

    private void Explore()
    {
        var protocol = new Protocol(scenario);
        Reach(protocol.Begin(), -1, "");
        // The list is the queue: what is reached is looked at in the same order.
        for (var i = 0; i < reached.Count; i++)
        {
            if (Invariants.Broken(reached[i], scenario) is { } fault)
            {
                Blame(i, fault);
                return;
            }

            foreach (var step in protocol.StepsFrom(reached[i]))
            {
                var to = Reach(step.To, i, step.Label);
                if (!step.IsFault)
                    steps.Add((i, to));
            }
        }

        LookForDeadEnds();
    }

    private int Reach(World world, int from, string by)
    {
        if (!numbers.TryGetValue(world, out var number))
        {
            numbers[world] = number = reached.Count;
            reached.Add(world);
            ways.Add((from, by));
        }

        return number;
    }

    /// <summary>From everywhere there must be a way to the end that needs no fault and no node's death.</summary>
    private void LookForDeadEnds()
    {
        var before = steps.ToLookup(step => step.To, step => step.From);
        var finishes = reached.Select(world => Invariants.IsSettled(world, scenario)).ToArray();
        var queue = new Queue<int>(Enumerable.Range(0, finishes.Length).Where(i => finishes[i]));
        while (queue.TryDequeue(out var i))
            foreach (var from in before[i].Where(from => !finishes[from]))
            {
                finishes[from] = true;
                queue.Enqueue(from);
            }

        if (Array.IndexOf(finishes, false) is >= 0 and var stuck)
            Blame(stuck, "a job is stuck: from here nothing leads to its end");
    }

    private void Blame(int state, string fault)
    {
        var trace = new List<string>();
        for (var at = state; ways[at].From >= 0; at = ways[at].From)
            trace.Add(ways[at].By);
        trace.Reverse();
        (Fault, Trace) = (fault, trace);
    }
}
