using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    public IJobInspection Inspection => throw new NotImplementedException();

    public IJobOperations Operations => throw new NotImplementedException();

    public Task SaveStatsAsync(IReadOnlyList<StatRow> rows, CancellationToken cancellationToken) => throw new NotImplementedException();
}
