namespace Millrace.Histories;

/// <summary>Reads a history once, in its order, and says what it proves.</summary>
public static class HistoryChecker
{
    private const int MostDetails = 8;

    public static Verdicts Check(IEnumerable<HistoryEvent> history)
    {
        var jobs = new Dictionary<long, Job>();
        var due = new HashSet<string>();
        var fired = new Dictionary<string, int>();
        var sum = new Verdicts();
        var faults = new List<string>();
        foreach (var happened in history)
        {
            switch (happened.What)
            {
                case Happening.TickDue:
                    due.Add(happened.Detail);
                    continue;
                case Happening.TickFired:
                    fired[happened.Detail] = fired.GetValueOrDefault(happened.Detail) + 1;
                    continue;
                case Happening.Fault:
                    sum = sum with { Faults = sum.Faults + 1 };
                    continue;
                case Happening.Astray:
                    faults.Add($"astray: {happened}");
                    sum = sum with { Astray = sum.Astray + 1 };
                    continue;
                case Happening.KeyTwice:
                    faults.Add($"key: {happened}");
                    sum = sum with { KeysTaken = sum.KeysTaken + 1 };
                    continue;
                case Happening.StaleWrite:
                    faults.Add($"stale write: {happened}");
                    sum = sum with { StaleWrites = sum.StaleWrites + 1 };
                    continue;
            }

            if (!jobs.TryGetValue(happened.Job, out var job))
                jobs[happened.Job] = job = new Job();
            job.Take(happened, faults);
        }

        foreach (var (id, job) in jobs)
            job.Judge(id, faults);
        var missing = due.Where(tick => !fired.ContainsKey(tick)).ToArray();
        var doubled = fired.Where(tick => tick.Value > 1).ToArray();
        faults.AddRange(missing.Select(tick => $"tick missing: {tick}"));
        faults.AddRange(doubled.Select(tick => $"tick {tick.Value} times: {tick.Key}"));
        return sum with
        {
            Lost = jobs.Values.Count(job => job.IsLost),
            Unexpected = jobs.Values.Count(job => job.IsUnexpected),
            Doubled = jobs.Values.Sum(job => job.Doubled),
            Overlapping = jobs.Values.Sum(job => job.Overlapping),
            WronglyRefused = jobs.Values.Sum(job => job.WronglyRefused),
            Stuck = jobs.Values.Count(job => job.IsStuck),
            TicksMissing = missing.Length,
            TicksDoubled = doubled.Length,
            Submitted = jobs.Values.Count(job => job.Fate == Happening.Submitted),
            Effects = jobs.Values.Sum(job => job.Effects),
            Recovered = jobs.Values.Count(job => job.Fate == Happening.PerhapsSubmitted && job.WasSeen),
            Repeated = jobs.Values.Sum(job => job.Repeated),
            Interrupted = jobs.Values.Sum(job => job.Interruptions),
            Refused = jobs.Values.Sum(job => job.Refusals),
            Ticks = fired.Count,
            Details = [.. faults.Take(MostDetails)],
        };
    }

    /// <summary>What is known of one job so far.</summary>
    private sealed class Job
    {
        private readonly HashSet<int> alive = [];
        private readonly HashSet<int> interrupted = [];
        private readonly List<int> refused = [];

        // Since the last time when somebody asked for the job to be done again.
        private readonly List<int> effects = [];
        private int committed;
        private string? outcome;

        public Happening? Fate { get; private set; }

        public bool WasSeen { get; private set; }

        public bool IsStuck { get; private set; }

        public bool IsLost { get; private set; }

        public bool IsUnexpected { get; private set; }

        public int Effects { get; private set; }

        public int Repeated { get; private set; }

        public int Doubled { get; private set; }

        public int Overlapping { get; private set; }

        public int Interruptions => interrupted.Count;

        public int Refusals => refused.Count;

        public int WronglyRefused => refused.Count(run => !interrupted.Contains(run));

        public void Take(HistoryEvent happened, List<string> faults)
        {
            switch (happened.What)
            {
                case Happening.Submitted or Happening.NotSubmitted or Happening.PerhapsSubmitted:
                    Fate = happened.What;
                    break;
                case Happening.Started:
                    WasSeen = true;
                    // One that was interrupted before it began is a process that woke up late: its end will be refused.
                    if (!interrupted.Contains(happened.Run) && alive.Any(run => run != happened.Run && !interrupted.Contains(run)))
                    {
                        Overlapping++;
                        faults.Add($"overlap: {happened}, beside {string.Join(" and ", alive)}");
                    }

                    alive.Add(happened.Run);
                    break;
                case Happening.Effect or Happening.Committed:
                    TakeEffect(happened, faults);
                    break;
                case Happening.Stopped:
                    alive.Remove(happened.Run);
                    break;
                case Happening.Refused:
                    refused.Add(happened.Run);
                    break;
                case Happening.Interrupted:
                    interrupted.Add(happened.Run);
                    break;
                case Happening.Retried:
                    effects.Clear();
                    committed = 0;
                    outcome = null;
                    break;
                case Happening.Finished:
                    WasSeen = true;
                    outcome = happened.Detail;
                    break;
                case Happening.Unfinished:
                    IsStuck = true;
                    faults.Add($"stuck: {happened}");
                    break;
            }
        }

        public void Judge(long id, List<string> faults)
        {
            // Succeeded without having done anything is as bad as lost.
            IsLost = Fate == Happening.Submitted && !IsStuck && (outcome is null || (outcome == "succeeded" && Effects == 0));
            IsUnexpected = WasSeen && Fate is null or Happening.NotSubmitted;
            if (IsLost)
                faults.Add($"lost: job {id}, {outcome ?? "nothing is known of it"}");
            if (IsUnexpected)
                faults.Add($"unexpected: job {id}, {Fate?.ToString() ?? "never submitted"}");
            foreach (var run in refused.Where(run => !interrupted.Contains(run)))
                faults.Add($"wrongly refused: job {id} run {run}");
        }

        private void TakeEffect(HistoryEvent happened, List<string> faults)
        {
            Effects++;
            WasSeen = true;
            if (happened.What == Happening.Committed && ++committed > 1)
            {
                Doubled++;
                faults.Add($"committed twice: {happened}");
            }
            else if (!interrupted.Contains(happened.Run) && effects.Any(run => !interrupted.Contains(run)))
            {
                Doubled++;
                faults.Add($"doubled: {happened}, after {string.Join(" and ", effects)}");
            }
            else if (effects.Count > 0)
            {
                Repeated++;
            }

            effects.Add(happened.Run);
        }
    }
}
