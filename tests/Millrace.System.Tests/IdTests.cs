namespace Millrace.System.Tests;

/// <summary>Rule 20: after a restore or a failover the sequence is behind the jobs that are stored, and gives their ids out again.</summary>
public sealed class IdTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(1000)]
    public async Task Of_a_bulk_that_meets_ids_of_others_each_job_is_stored_once(int count)
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var client = await TestClient.StartAsync(database);
        var first = await client.SubmitAsync(Enumerable.Range(0, count).Select(number => new Count(number)));
        await database.ExecuteAsync($"select setval('millrace.job_id', {first.Max() - count / 2})");

        var second = await client.SubmitAsync(Enumerable.Range(count, count).Select(number => new Count(number)));

        (await database.IdsAsync("select id from millrace.job")).ShouldBe(first.Concat(second), ignoreOrder: true);
        (await database.NumberAsync("select count(distinct data) from millrace.job")).ShouldBe(2 * count);
        (await database.RowsAsync($"select data from millrace.job where id = {second[count - 1]}")).ShouldBe([$$"""{"amount":{{2 * count - 1}}}"""]);
    }
}
