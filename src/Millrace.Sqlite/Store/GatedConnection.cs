using System.Data;
using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Millrace.Sqlite;

/// <summary>A handler's connection: its writing transactions stand in the same line as the engine's.</summary>
internal sealed class GatedConnection(SqliteFile file) : SqliteConnection(file.HandlerConnectionString)
{
    private bool hasGate;

    public override void Open()
    {
        if (State == ConnectionState.Open)
            return;
        if (Path.GetDirectoryName(file.Path) is { Length: > 0 } directory)
            Directory.CreateDirectory(directory);
        base.Open();
        try
        {
            file.Prepare(this, file.BusyTimeout);
        }
        catch
        {
            Close();
            throw;
        }
    }

    public override SqliteTransaction BeginTransaction(IsolationLevel isolationLevel, bool deferred)
    {
        // A second transaction on this connection is refused below by the base class; it must not wait for itself.
        if (deferred || Transaction is not null)
            return base.BeginTransaction(isolationLevel, deferred);
        if (!file.Gate.Enter(file.BusyTimeout))
            throw TooLate();
        return BeginInside(isolationLevel);
    }

    protected override async ValueTask<DbTransaction> BeginDbTransactionAsync(IsolationLevel isolationLevel, CancellationToken cancellationToken)
    {
        if (Transaction is not null)
            return base.BeginTransaction(isolationLevel, deferred: false);
        if (!await file.Gate.EnterAsync(file.BusyTimeout, cancellationToken).ConfigureAwait(false))
            throw TooLate();
        return BeginInside(isolationLevel);
    }

    // The base class sets this to null when a transaction is committed, rolled back or disposed, and when the connection is closed.
    protected override SqliteTransaction? Transaction
    {
        get => base.Transaction;
        set
        {
            base.Transaction = value;
            if (value is null)
                LeaveGate();
        }
    }

    private SqliteTransaction BeginInside(IsolationLevel isolationLevel)
    {
        hasGate = true;
        try
        {
            return base.BeginTransaction(isolationLevel, deferred: false);
        }
        catch
        {
            LeaveGate();
            throw;
        }
    }

    private void LeaveGate()
    {
        if (!hasGate)
            return;
        hasGate = false;
        file.Gate.Exit();
    }

    private SqliteException TooLate() => new(
        $"database is locked: another transaction of this process has been writing to {file.Path} for {file.BusyTimeout.TotalSeconds:0.#} s. "
        + "Keep transactions short, and do not open a second one in a flow that already has one.", SqliteBusy);

    private const int SqliteBusy = 5;
}
