using Millrace.Storage;
using Millrace.Submitting;

namespace Millrace.Inspecting;

/// <summary>Says why a job is where it is: what, since when, what must happen, about when, and what to do. Pure.</summary>
internal static class Explainer
{
    public static Explanation Explain(JobFacts facts)
    {
        var story = new Story(facts);
        if (facts.Job.Row.DeletedBy is { } operation)
            story.Deleted(operation);
        else
            Tell(story, facts.Job.Row.State);
        return story.End();
    }

    private static void Tell(Story story, JobState state)
    {
        switch (state)
        {
            case JobState.Ready:
                story.Ready();
                break;
            case JobState.Scheduled:
                story.Scheduled();
                break;
            case JobState.Waiting:
                story.Waiting();
                break;
            case JobState.Running:
                story.Running();
                break;
            default:
                story.Finished();
                break;
        }
    }

    private sealed class Story(JobFacts facts)
    {
        private readonly JobRow job = facts.Job.Row;
        private readonly List<Reason> reasons = [];
        private readonly List<Advice> advice = [];
        private string state = "";
        private DateTimeOffset? wouldRunAt;

        private DateTimeOffset Now => facts.Now;

        /// <summary>The first reason is the headline: it is the one that matters most.</summary>
        public Explanation End() => new(job.Id, state, reasons[0].Code, reasons[0].Text, reasons[1..], wouldRunAt, advice);

        public void Deleted(long operation)
        {
            state = "deleted";
            var until = facts.Job.RemoveAt is { } time ? $" until {Spoken.AtAndAway(time, Now)}" : "";
            Say("deleted", $"Operation {operation} deleted it. That can be undone{until}; then it is removed.");
            Advise("Bring it back with all that was deleted with it.", $"undo {operation}");
        }

        public void Ready()
        {
            state = "ready";
            var obstacles = ClaimConditions.Of(facts);
            Hold(obstacles);
            if (obstacles == Obstacles.None)
                InLine();
            LastRun();
        }

        public void Scheduled()
        {
            var hasFailed = job.Attempt > 1;
            state = hasFailed ? "retrying" : "scheduled";
            var when = job.Due > Now ? $"at {Spoken.AtAndAway(job.Due, Now)}" : "at once: its time has come, and a node moves it into the line at its next look";
            if (hasFailed && job.LastOutcome is Outcome.Failed or Outcome.Interrupted)
                Say("backoff", $"Attempt {job.Attempt - 1} {(job.LastOutcome == Outcome.Failed ? "failed" : "was interrupted")}{Because(job.Error)}. Attempt {job.Attempt} follows {when}.");
            else if (job.LastOutcome == Outcome.Snoozed)
                Say("due_later", $"Its handler asked to run again later; it is due {when}.");
            else
                Say("due_later", $"It is due {when}.");
            wouldRunAt = job.Due > Now ? job.Due : Now;
            Hold(ClaimConditions.OfQueueAndType(facts));
            Advise("Run it before its time.", $"run-now {job.Id}");
        }

        public void Waiting()
        {
            state = "waiting";
            switch (job.WaitsFor)
            {
                case "quarantine":
                    state = "quarantined";
                    Say("quarantined", $"It is in quarantine because its process died too often while it ran{Because(job.Error)}. It needs a person.");
                    Advise("When the cause is mended, let it run again.", $"retry {job.Id}");
                    Advise("Or give it up.", $"cancel {job.Id}");
                    return;
                case "key":
                    WaitsForKey();
                    break;
                default:
                    Say("waits_type", $"It waits for a node that has a handler for type {job.Type}.{Known()} It is made ready when one registers.");
                    Advise("Start a worker that registers the type, or see which types there are.", "types list");
                    break;
            }

            LastRun();
        }

        public void Running()
        {
            state = "running";
            var attempt = $"attempt {job.Attempt}{(job.Progress is { } percent ? FormattableString.Invariant($", {percent:0.#} % done") : "")}";
            if (facts.Lease is not { } lease)
            {
                Say("leased", $"A node runs it ({attempt}).");
            }
            else if (lease.IsAlive)
            {
                var expiry = lease.Expires is { } time ? $" The node would lose it at {Spoken.At(time, Now)} if it did not renew itself." : "";
                Say("leased", $"{NodeName(lease)} has had it since {Spoken.AtAndAway(lease.Claimed, Now)} ({attempt}).{expiry}");
            }
            else
            {
                LeaseLost(lease);
            }

            if (facts.Job.CancelRequest is { } request)
                Say("cancel_requested", $"{request.By ?? "Somebody"} asked it to stop{(request.Reason is { Length: > 0 } why ? $": {Ended(why)}" : ".")} Its token is cancelled; it ends when its handler does.");
            else if (facts.Lease is not { IsAlive: false })
                Advise("Ask it to stop.", $"cancel {job.Id}");
        }

        public void Finished()
        {
            var at = job.Finished is { } time ? $" at {Spoken.AtAndAway(time, Now)}" : "";
            var ran = job.Started is { } start && job.Finished is { } end && end > start ? $" after {Spoken.Span(end - start)}" : "";
            var outcome = job.LastOutcome ?? (job.State == JobState.Succeeded ? Outcome.Succeeded : job.State == JobState.Discarded ? Outcome.Discarded : Outcome.Cancelled);
            state = job.State == JobState.Discarded ? "failed" : job.State == JobState.Succeeded ? "succeeded" : "cancelled";
            Say(outcome.ToWord(), outcome switch
            {
                Outcome.Succeeded => $"It succeeded{at}, in attempt {job.Attempt}{ran}.",
                Outcome.Discarded => $"It failed{at}: attempt {job.Attempt} was its last{Because(job.Error)}.",
                Outcome.Replaced => $"A newer submission with its tag took its place{at}, before it ran.",
                Outcome.Superseded => $"A newer job had taken its key{at}, so it was not run again.",
                _ => $"It was cancelled{at}{Because(job.Error)}.",
            });
            if (facts.Job.RemoveAt is { } removed)
                Say("kept", removed > Now ? $"It is removed at {Spoken.AtAndAway(removed, Now)}." : "It is removed when old jobs are removed the next time.");
            if (outcome == Outcome.Discarded)
                Advise("See its attempts, errors and log.", $"show {job.Id}");
            Advise(outcome == Outcome.Succeeded ? "Run it once more." : "Run it again, from its first attempt.", $"retry {job.Id}");
        }

        /// <summary>What keeps it from being claimed, though it is in line or will be.</summary>
        private void Hold(Obstacles obstacles)
        {
            if (obstacles.HasFlag(Obstacles.QueuePaused) && facts.QueuePause is { } pause)
                Paused(pause);
            if (obstacles.HasFlag(Obstacles.NoNodeOfQueue))
            {
                Say("no_worker_for_queue", $"No living node works on queue {job.Queue}.");
                Advise($"Start a worker with queue {job.Queue}, or see which workers there are.", "workers list");
            }
            else if (obstacles.HasFlag(Obstacles.NoNodeOfType))
            {
                Say("no_worker_for_type", facts.NodesOfType > 0
                    ? $"{Spoken.Count(facts.NodesOfType, "node")} know{(facts.NodesOfType == 1 ? "s" : "")} type {job.Type}, but none of them works on queue {job.Queue}."
                    : $"No living node has a handler for type {job.Type}.{Known()}");
                Advise($"Start a worker with queue {job.Queue} that registers type {job.Type}, or see which types there are.", "types list");
            }
            else if (obstacles.HasFlag(Obstacles.AllDraining))
            {
                Say("all_draining", $"{Spoken.Count(facts.Claimers.Count, "node")} could claim it, and {(facts.Claimers.Count == 1 ? "it was" : "all of them were")} asked to claim no more.");
                Advise("Let one go on, or start another.", $"workers resume {Spoken.Argument(facts.Claimers[0].Name)}");
            }

            if ((obstacles & ~(Obstacles.QueuePaused | Obstacles.NotReady)) != Obstacles.None)
                wouldRunAt = null;
        }

        private void Paused(Pause pause)
        {
            var why = pause.Reason is { Length: > 0 } reason ? $": {Ended(reason)}" : ".";
            var end = pause.Until is { } until ? $"It goes on by itself at {Spoken.AtAndAway(until, Now)}." : "It goes on when a person says so.";
            Say("queue_paused", $"{(pause.By is { } by ? $"{by} paused" : "Somebody paused")} queue {job.Queue} {Spoken.Span(Now - pause.Since)} ago{why} {end}");
            Advise("Let the queue go on.", $"queues resume {Spoken.Argument(job.Queue)}");
            wouldRunAt = pause.Until is { } resumes && wouldRunAt is { } planned && planned > resumes ? planned : pause.Until;
        }

        private void InLine()
        {
            if (facts.IsSuspect)
                Say("suspect_alone", "A process died while it ran, perhaps because of it, so it runs alone: it is claimed when a node has nothing else of that kind.");
            if (facts.Ahead == 0)
            {
                Say("claimable_now", $"It is next in line in queue {job.Queue}: the next free slot of {Spoken.Count(facts.Claimers.Count(node => !node.IsDraining), "node")} takes it.");
                wouldRunAt = Now;
                return;
            }

            var ahead = $"{(facts.Ahead >= JobCounts.Cap ? "At least " : "")}{Spoken.Count(facts.Ahead, "job")} {(facts.Ahead == 1 ? "is" : "are")} ahead of it in queue {job.Queue}";
            if (facts.EndsPerMinute > 0)
            {
                var wait = TimeSpan.FromMinutes(Math.Min(facts.Ahead / facts.EndsPerMinute, TimeSpan.FromDays(3650).TotalMinutes));
                Say("behind", FormattableString.Invariant($"{ahead}: about {Spoken.Span(wait)} at {facts.EndsPerMinute:N0} a minute."));
                wouldRunAt = Now + wait;
            }
            else
            {
                Say("behind", $"{ahead}, and none ended in the last five minutes.");
                Advise("See what the workers are doing.", "workers list");
            }

            Advise("Let it go before the others; lower runs first.", $"reprioritise {job.Id} --priority {Math.Max(short.MinValue, job.Priority - 1)}");
        }

        private void WaitsForKey()
        {
            if (facts.KeyHolder is { } holder)
            {
                Say("waits_key", $"Job {holder} holds its key{Key()}. It goes on when that one has ended.");
                Advise("See why that one has not.", $"explain {holder}");
            }
            else
            {
                Say("waits_key", $"It waits for its key{Key()}, which is free. A node makes it ready at its next look.");
                wouldRunAt = Now;
            }
        }

        private void LeaseLost(LeaseFact lease)
        {
            var about = lease.Expires is { } expires && expires > Now ? $"at about {Spoken.AtAndAway(expires, Now)}" : "at the next sweep of a living node, within seconds";
            Say("lease_lost", $"{NodeName(lease)} had it since {Spoken.AtAndAway(lease.Claimed, Now)}, and lives no more. The job is taken back {about}.");
            if (facts.NodesOfQueue == 0)
                Hold(ClaimConditions.OfQueueAndType(facts));
        }

        /// <summary>How the run before ended, where that is not the reason itself.</summary>
        private void LastRun()
        {
            if (job.LastOutcome == Outcome.Interrupted)
                Say("interrupted", $"Its last run was interrupted{Because(job.Error)}.");
            else if (job.LastOutcome == Outcome.Failed)
                Say("failed_before", $"Attempt {Math.Max(1, job.Attempt - 1)} failed{Because(job.Error)}.");
        }

        private string Known() => NearestName.Question(job.Type, facts.KnownTypes);

        private string Key() => facts.Job.Key is { } key ? $" \"{key}\"" : "";

        private static string NodeName(LeaseFact lease) => $"Node {lease.NodeName ?? lease.Node.ToString()}";

        private static string Because(string? error) => Spoken.FirstLine(error) is { } line ? $": {line.TrimEnd('.')}" : "";

        private static string Ended(string text) => text.TrimEnd() is [.., '.' or '!' or '?'] ended ? ended : $"{text.TrimEnd()}.";

        private void Say(string code, string text) => reasons.Add(new Reason(code, text));

        private void Advise(string text, string? command) => advice.Add(new Advice(text, command));
    }
}
