using System.Threading.Channels;

namespace Millrace.Working;

/// <summary>What one queue runs at the same time, and the claims in hand that wait for a free slot.</summary>
/// <param name="instance">Runs the attempts.</param>
/// <param name="count">How many run at once.</param>
/// <param name="firstSlot">The number of the first among all slots of this process.</param>
/// <param name="ended">Takes the end of each run.</param>
/// <param name="wake">Called when the loop has something to do: half of what was in hand is gone, or an end waits.</param>
internal sealed class Slots(MillraceInstance instance, int count, int firstSlot, Action<HeldClaim, RunEnd> ended, Action wake)
{
    private readonly Channel<HeldClaim> inHand = Channel.CreateUnbounded<HeldClaim>();

    // Touched by slots and loop.
    private int waiting;
    private int running;
    private int abandoned;
    private int reserved;
    private long averageRunTicks;
    private volatile int lowWater;
    private volatile bool isClosed;

    public int Waiting => Volatile.Read(ref waiting);

    public int Running => Volatile.Read(ref running);

    /// <summary>Slots whose run was given up and whose handler has not returned.</summary>
    public int Abandoned => Volatile.Read(ref abandoned);

    /// <summary>Nothing is expected, nothing waits, nothing runs, and the end of what ran was taken. In this order: a slot counts a claim as running before it no longer counts it as waiting.</summary>
    public bool AreEmpty => Volatile.Read(ref reserved) == 0 && Waiting == 0 && Running == 0;

    /// <summary>How long jobs take lately; zero before anything is known.</summary>
    public TimeSpan AverageRun => new(Volatile.Read(ref averageRunTicks));

    /// <summary>With this many waiting, or fewer, each end wakes the loop.</summary>
    public int LowWater
    {
        set => lowWater = value;
    }

    public void Open()
    {
        for (var i = 0; i < count; i++)
        {
            var slot = firstSlot + i;
            _ = Task.Run(() => SlotAsync(slot), CancellationToken.None);
        }
    }

    /// <summary>Takes no more. What is in hand can still be taken back.</summary>
    public void Close()
    {
        isClosed = true;
        inHand.Writer.TryComplete();
    }

    /// <summary>Keeps a free slot for a claim that is on its way.</summary>
    public bool TryReserve()
    {
        if (Interlocked.Increment(ref reserved) + Waiting + Running + Abandoned <= count)
            return true;
        Interlocked.Decrement(ref reserved);
        return false;
    }

    public void Unreserve(int number) => Interlocked.Add(ref reserved, -number);

    /// <summary>False when the slots are closed.</summary>
    public bool TryHold(HeldClaim held)
    {
        Interlocked.Increment(ref waiting);
        if (inHand.Writer.TryWrite(held))
            return true;
        Interlocked.Decrement(ref waiting);
        return false;
    }

    public bool TryPeek(out HeldClaim oldest) => inHand.Reader.TryPeek(out oldest);

    /// <summary>Takes a claim that has not started out of the hand.</summary>
    public bool TryTakeBack(out HeldClaim held)
    {
        if (!inHand.Reader.TryRead(out held))
            return false;
        Interlocked.Decrement(ref waiting);
        return true;
    }

    /// <summary>Forgets every claim that has not started.</summary>
    public void DropUnstarted()
    {
        while (TryTakeBack(out _))
        {
        }
    }

    /// <summary>A run was given up: its slot does not come back before its handler returns, and its end is written by somebody else.</summary>
    public void Abandon()
    {
        Interlocked.Increment(ref abandoned);
        Interlocked.Decrement(ref running);
    }

    /// <summary>A claim has been waiting for this long: so long do jobs take, at the least.</summary>
    public void RunAtLeast(TimeSpan waited) => Volatile.Write(ref averageRunTicks, Math.Max(Volatile.Read(ref averageRunTicks), waited.Ticks));

    private async Task SlotAsync(int slot)
    {
        var reader = inHand.Reader;
        var recorder = instance.Child?.Recorder;
        while (await reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (reader.TryRead(out var held))
            {
                Interlocked.Increment(ref running);
                Interlocked.Decrement(ref waiting);
                var began = instance.Time.GetTimestamp();
                recorder?.Begin(slot, held.Claim.JobId, held.Claim.Run);
                var run = await instance.Runner.RunAsync(held).ConfigureAwait(false);
                recorder?.End(slot);
                if (run is not { } end)
                {
                    // Given up meanwhile, and no longer counted as running.
                    Interlocked.Decrement(ref abandoned);
                    wake();
                    continue;
                }
                Learn(instance.Time.GetElapsedTime(began));
                ended(held, end);
                Interlocked.Decrement(ref running);
                var inLine = Volatile.Read(ref waiting);
                if (inLine == 0 || inLine <= lowWater || isClosed)
                    wake();
                // A handler that never waits would keep this thread until nothing is in hand, and the loop needs one to bring more.
                await Task.Yield();
            }
        }
    }

    /// <summary>A moving average over about the last sixteen runs: good enough to guess how many a tenth of a second will take. Slots may overwrite each other's sample.</summary>
    private void Learn(TimeSpan ran)
    {
        var average = Volatile.Read(ref averageRunTicks);
        var sample = Math.Max(1, ran.Ticks);
        Volatile.Write(ref averageRunTicks, average == 0 ? sample : Math.Max(1, average + (sample - average) / 16));
    }
}
