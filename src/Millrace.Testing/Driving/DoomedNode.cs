using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Testing;

/// <summary>A second node on the same store, made to die.</summary>
internal sealed class DoomedNode : IDisposable
{
    private readonly IHeartbeat heartbeat;

    private DoomedNode(Guid id, IHeartbeat heartbeat)
    {
        Id = id;
        this.heartbeat = heartbeat;
    }

    public Guid Id { get; }

    public static async Task<DoomedNode> StartAsync(MillraceInstance instance)
    {
        var id = Guid.NewGuid();
        var expiry = instance.Workers?.NodeExpiry ?? new WorkerOptions().NodeExpiry;
        await instance.Store.RegisterAsync(
            new NewNode { Id = id, Name = "doomed", Expiry = expiry, Types = instance.Types.Names, Queues = instance.QueueNames },
            CancellationToken.None).ConfigureAwait(false);
        return new DoomedNode(id, instance.Store.OpenHeartbeat(id, expiry));
    }

    /// <summary>It dies: no more life sign, and no farewell.</summary>
    public void Dispose() => heartbeat.Dispose();
}
