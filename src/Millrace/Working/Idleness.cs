using Millrace.Storage;

namespace Millrace.Working;

/// <summary>Says in the store whether this node would like to be rung for. Only changes are written: a node that finds full batches needs no bell, and submitters save the ring.</summary>
internal sealed class Idleness(MillraceInstance instance)
{
    // Writes go one after the other, and each writes what is true by then: two that are on their way together cannot land in the wrong order.
    private readonly SemaphoreSlim writing = new(1, 1);
    private int isIdle;

    /// <summary>Every queue has been worked off, as far as this node knows: it could start what is submitted now.</summary>
    public bool IsAtEnd => instance.Loops.All(static loop => loop.IsAtEnd);

    /// <summary>A queue's batch came back, the last of so many full ones in a row; 0 when it was short. Two mean busy. (One would be every job, where jobs run one at a time.)
    /// After the last short one the look-out is told: it would find out only when it next looks, and until then nobody would ring.</summary>
    public void BatchCame(int fullInARow)
    {
        if (!instance.Store.HasBell)
            return;
        if (fullInARow > 1 && Interlocked.Exchange(ref isIdle, 0) == 1)
            _ = WriteQuietlyAsync();
        else if (Volatile.Read(ref isIdle) == 0 && IsAtEnd)
            instance.WakeUps.LookOut.Set();
    }

    /// <summary>Called by the look-out when every queue was at its end. True when it was written just now, so the caller looks once more: a job may have been submitted by somebody who still thought us busy.</summary>
    public async Task<bool> IsIdleAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref isIdle, 1) == 1)
            return false;
        try
        {
            await WriteAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch
        {
            Volatile.Write(ref isIdle, 0);
            throw;
        }
    }

    /// <summary>A new identity has a new row.</summary>
    public void Forget() => Volatile.Write(ref isIdle, 0);

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        await writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await instance.Store.SetIdleAsync(instance.Node.Id, Volatile.Read(ref isIdle) == 1, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            writing.Release();
        }
    }

    private async Task WriteQuietlyAsync()
    {
        try
        {
            await WriteAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            // Being rung for nothing costs little; the next change writes it again.
        }
    }
}
