using Millrace.Storage;

namespace Millrace.Postgres;

internal sealed partial class PostgresStore
{
    public IJobInspection Inspection => throw new NotImplementedException();

    public IJobOperations Operations => throw new NotImplementedException();

    public Task SaveStatsAsync(IReadOnlyList<StatRow> rows, CancellationToken cancellationToken) => throw new NotImplementedException();
}
