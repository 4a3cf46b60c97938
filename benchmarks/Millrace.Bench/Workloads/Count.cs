using System.Globalization;
using Millrace.Bench.Contenders;

namespace Millrace.Bench.Workloads;

internal static class Count
{
    public static async Task<long> AskAsync(IContender contender, string database, string question)
    {
        await using var connection = await contender.ConnectAsync(database);
        await using var command = connection.CreateCommand();
        command.CommandText = question;
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }
}
