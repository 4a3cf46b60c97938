using Millrace.Storage;

namespace Millrace.Working;

/// <summary>Says in the store whether this node would like to be rung for. Only changes are written: a node that finds full batches needs no bell, and submitters save the ring.</summary>
internal sealed class Idleness(MillraceInstance instance)
{
    private int isIdle;

    /// <summary>A batch came back full.</summary>
    public void IsBusy()
    {
        if (instance.Store.HasBell && Interlocked.Exchange(ref isIdle, 0) == 1)
            _ = WriteAsync(false);
    }

    /// <summary>Called by the look-out when there was nothing to claim anywhere. True when it was written just now, so the caller looks once more: a job may have been submitted by somebody who still thought us busy.</summary>
    public async Task<bool> IsIdleAsync(CancellationToken cancellationToken)
    {
        if (!instance.Store.HasBell || Interlocked.Exchange(ref isIdle, 1) == 1)
            return false;
        try
        {
            await instance.Store.SetIdleAsync(instance.Node.Id, true, cancellationToken).ConfigureAwait(false);
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

    private async Task WriteAsync(bool idle)
    {
        try
        {
            await instance.Store.SetIdleAsync(instance.Node.Id, idle, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            // Being rung for nothing costs little; the next change writes it again.
        }
    }
}
