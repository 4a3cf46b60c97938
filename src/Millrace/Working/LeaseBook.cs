using Millrace.Storage;

namespace Millrace.Working;

/// <summary>
/// The leases that one queue loop holds, and how much of each is open. A lease is known from before its claim is sent until after its deletion was answered, so that upkeep
/// never takes a lease in flight for a forgotten one (rule 7).
/// </summary>
internal sealed class LeaseBook(TimeProvider time)
{
    // Younger leases are about to be emptied and deleted: to rewrite their lists first would be work for nothing.
    private static readonly TimeSpan YoungestToShrink = TimeSpan.FromSeconds(2);

    // To look for the end of each run that a lease lists costs the database as much as a tenth of all it does for a job. Few are looked for at once, and their lease goes with the turn
    // that ends the last of them; of more the store has to say first that they have ended, and their lease goes with the turn after that.
    private const int Many = 100;

    private readonly Dictionary<Guid, Entry> leases = [];
    private readonly Lock gate = new();

    /// <summary>Asked by upkeep, from another loop.</summary>
    public bool Knows(Guid lease)
    {
        lock (gate)
            return leases.ContainsKey(lease);
    }

    /// <summary>A claim under this id is about to be sent.</summary>
    public void Expect(Guid lease)
    {
        lock (gate)
            leases.Add(lease, new Entry { IsExpected = true });
    }

    /// <summary>The claim's answer.</summary>
    public void Opened(Guid lease, int count)
    {
        lock (gate)
        {
            if (count == 0)
                leases.Remove(lease);
            else
                leases[lease] = new Entry { Open = count, Listed = count, Unanswered = count, Opened = time.GetTimestamp() };
        }
    }

    /// <summary>The ends of these runs go into the next turn.</summary>
    public void Ended(List<AttemptEnd> ends)
    {
        lock (gate)
        {
            (Guid, Entry?) last = default;
            foreach (var end in ends)
            {
                if (Find(end.Claim.Lease, ref last) is { } entry)
                    entry.Open--;
            }
        }
    }

    /// <summary>The store has answered the ends of these runs.</summary>
    /// <param name="ends">The ends.</param>
    /// <param name="verdicts">One for each; null when all have ended, as far as the store knows.</param>
    public void Answered(IReadOnlyList<AttemptEnd> ends, IReadOnlyList<EndVerdict>? verdicts)
    {
        lock (gate)
        {
            (Guid, Entry?) last = default;
            for (var i = 0; i < ends.Count; i++)
            {
                if (Find(ends[i].Claim.Lease, ref last) is not { } entry)
                    continue;
                entry.Unanswered--;
                entry.HasRefused |= verdicts?[i] == EndVerdict.Stale;
            }
        }
    }

    /// <summary>Leases that have nothing open as far as we know; the store makes sure. They stay known until <see cref="Closed"/>.</summary>
    public List<Guid> ToClose() => Those(static entry => entry.Open == 0 && (entry.Listed < Many || (entry.Unanswered == 0 && entry.HasRefused)));

    /// <summary>Leases of which the store has said that every run has ended. They stay known until <see cref="Closed"/>.</summary>
    public List<Guid> ToDelete() => Those(static entry => entry is { Open: 0, Listed: >= Many, Unanswered: 0, HasRefused: false });

    /// <summary>Whether there is a lease to delete.</summary>
    public bool HasToDelete => ToDelete().Count > 0;

    /// <summary>Leases of which a quarter or more of what they list has ended (rule 9: rewriting the lists is the dearest write of a turn).</summary>
    public List<Guid> ToShrink()
    {
        lock (gate)
        {
            List<Guid> shrink = [];
            foreach (var (lease, entry) in leases)
            {
                if (entry.IsExpected || entry.Open == 0 || entry.Listed < 8 || entry.Open > entry.Listed * 3 / 4 || time.GetElapsedTime(entry.Opened) < YoungestToShrink)
                    continue;
                entry.Listed = entry.Open;
                shrink.Add(lease);
            }
            return shrink;
        }
    }

    /// <summary>The turn that deleted these was answered.</summary>
    public void Closed(IEnumerable<Guid> deleted)
    {
        lock (gate)
        {
            foreach (var lease in deleted)
                leases.Remove(lease);
        }
    }

    // Runs of one lease mostly end one after the other.
    private Entry? Find(Guid lease, ref (Guid Lease, Entry? Entry) last)
    {
        if (last.Lease != lease)
            last = (lease, leases.GetValueOrDefault(lease));
        return last.Entry;
    }

    private List<Guid> Those(Func<Entry, bool> which)
    {
        lock (gate)
            return [.. leases.Where(pair => !pair.Value.IsExpected && which(pair.Value)).Select(static pair => pair.Key)];
    }

    public void Clear()
    {
        lock (gate)
            leases.Clear();
    }

    private sealed class Entry
    {
        public bool IsExpected;
        public int Open;
        public int Listed;
        public int Unanswered;
        public bool HasRefused;
        public long Opened;
    }
}
