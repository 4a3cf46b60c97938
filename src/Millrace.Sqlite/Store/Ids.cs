using System.Data.Common;
using Millrace.Storage;

namespace Millrace.Sqlite;

internal sealed partial class SqliteStore
{
    private const string TakeIdsSql = """
        update millrace_job_id
        set next = next + @count
        where one = 1
        returning next - @count
        """;

    public Task<IdBlock> TakeIdsAsync(int count, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return WriteAsync(transaction, session => new IdBlock(TakeIds(session, count), count), cancellationToken);
    }

    private static long TakeIds(Session session, int count) =>
        session.Query(TakeIdsSql, row => row.GetInt64(0), ("@count", (long)count))[0];
}
