namespace Millrace.System.Tests;

/// <summary>S9: how many connections a process holds.</summary>
public sealed class ConnectionTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_process_uses_two_connections_and_the_handlers_pool()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using (var client = await TestClient.StartAsync(database))
            await client.SubmitAsync(Enumerable.Range(0, 3000).Select(number => new Count(number)));
        await using var worker = await WorkerProcess.StartAsync(database, concurrency: 50);

        // Counted are the sessions of clients that have begun: autovacuum visits the database too.
        var most = new Dictionary<string, int>();
        var done = 0L;
        await Eventually.IsAsync(
            async () =>
            {
                done = await database.EndedAsync("succeeded");
                foreach (var row in await database.RowsAsync("select application_name, count(*) from pg_stat_activity where datname = current_database() and application_name <> 'test' and backend_type = 'client backend' and state is not null group by 1"))
                {
                    var (name, count) = (row.Split('|')[0], int.Parse(row.Split('|')[1], provider: null));
                    most[name] = Math.Max(most.GetValueOrDefault(name), count);
                }
                return done == 3000;
            },
            TimeSpan.FromSeconds(60), "3,000 jobs are done", () => worker.Log);

        output.WriteLine(string.Join(", ", most.Select(pair => $"{pair.Key}: {pair.Value}")));
        most.Keys.ShouldBe(["millrace", "millrace beat", "millrace handlers"], ignoreOrder: true);
        most["millrace"].ShouldBe(1);
        most["millrace beat"].ShouldBe(1);
        most["millrace handlers"].ShouldBeInRange(2, 10);
    }
}
