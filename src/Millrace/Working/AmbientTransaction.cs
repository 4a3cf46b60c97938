using System.Data.Common;

namespace Millrace.Working;

/// <summary>The transaction that the current flow holds through <c>WithTransactionAsync</c>, so that submissions and nested calls can join it.</summary>
internal sealed class AmbientTransaction(DbTransaction transaction, DbConnection connection, object source)
{
    private static readonly AsyncLocal<AmbientTransaction?> Flow = new();

    private readonly List<Action> whenCommitted = [];

    /// <summary>Null outside, and in a task that outlived the transaction it was started in.</summary>
    public static AmbientTransaction? Current
    {
        get => Flow.Value is { IsOpen: true } ambient ? ambient : null;
        private set => Flow.Value = value;
    }

    public DbTransaction Transaction => transaction;

    public DbConnection Connection => connection;

    /// <summary>The data source or connection it was begun on.</summary>
    public object Source => source;

    public bool IsOpen { get; private set; } = true;

    /// <summary>Makes this the flow's transaction. Call it in the method whose awaits shall see it.</summary>
    public void Enter() => Current = this;

    /// <summary>Runs the action once the commit is done, and never if it is rolled back.</summary>
    public void WhenCommitted(Action action) => whenCommitted.Add(action);

    public void Leave(bool committed)
    {
        IsOpen = false;
        Flow.Value = null;
        if (!committed)
            return;
        foreach (var action in whenCommitted)
            action();
    }
}
