using Millrace.Storage;
namespace Millrace.Postgres;
internal sealed partial class PostgresInspection
{
    public Task<StoreReport> ReportAsync(CancellationToken cancellationToken) => throw new NotImplementedException();
}
