using Millrace.Cli.Submitting;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Cli.Tests.Commands;

public sealed class MoveTests
{
    [Fact]
    public async Task Everything_is_moved_and_goes_on_there()
    {
        await using var old = await Scene.MakeAsync("sqlite");
        await using var young = await Scene.MakeEmptyAsync("postgres");
        long done, failed;
        using (var host = await old.StartAsync())
        {
            done = long.Parse((await old.OkAsync("submit", "welcome", "--data", """{"name":"Ada"}""", "--wait", "-o", "id")).Trim());
            failed = long.Parse((await old.RunAsync("submit", "welcome", "--data", """{"name":"nobody"}""", "--wait", "-o", "id")).Out.Trim());
            await host.StopAsync(TestContext.Current.CancellationToken);
        }

        var late = await old.SubmitAsync(new Welcome("Bo"), new JobOptions { Delay = TimeSpan.FromHours(3), Tag = "late", Priority = -3, UserId = 42, WhenPending = WhenPending.Keep });
        var ready = await old.SubmitAsync(new Welcome("Cy"), new JobOptions { Tag = "ready", WhenPending = WhenPending.Keep });
        await old.OkAsync("submit", "welcome", "--data", """{"name":"all"}""", "--cron", "0 0 3 * * *", "--persistent", "--tag", "nightly");
        var before = await LookAsync(old);

        var run = await old.RunAsync("move", "--from", old.Connection, "--to", young.Connection, "--yes");

        run.Code.ShouldBe(0, run.ToString());
        (await LookAsync(young)).ShouldBe(before);
        (await young.OkAsync("show", $"{failed}", "--logs", "--attempts")).ShouldContain("Greeting nobody");
        (await young.OkAsync("schedules")).ShouldContain("nightly");
        (await old.OkAsync("queues")).ShouldContain("Moved to PostgreSQL");
        // The key came along, and new ids follow the old ones.
        await using var store = young.Open();
        var client = SubmitClient.On(store);
        (await client.SubmitNamedAsync("welcome", """{"name":"Cy"}""", new JobOptions { Tag = "ready", WhenPending = WhenPending.Keep }, TestContext.Current.CancellationToken)).Id.ShouldBe(ready);
        (await client.SubmitNamedAsync("welcome", """{"name":"Di"}""", null, TestContext.Current.CancellationToken)).Id.ShouldBeGreaterThan(late);
        using (var host = await young.StartAsync())
        {
            await Eventually.IsAsync(async () => (await young.OkAsync("list", $"id:{ready}", "state:succeeded", "-o", "id").ContinueWith(task => task.IsFaulted ? "" : task.Result, TaskScheduler.Default)).Length > 0 || (await store.FindAsync(ready, TestContext.Current.CancellationToken))?.State == JobState.Succeeded, "the end of the job that was ready");
            await host.StopAsync(TestContext.Current.CancellationToken);
        }

        var again = await old.RunAsync("move", "--from", old.Connection, "--to", young.Connection, "--yes");
        again.Code.ShouldBe(5, "the target holds jobs already");
        done.ShouldBePositive();
    }

    // Whoever adds a table or a column decides here whether it is moved.
    [Fact]
    public async Task Each_table_and_column_is_moved_or_left_behind_on_purpose()
    {
        string[] leftBehind = ["migration", "job_id", "node", "schedule_owner", "event"];
        await using var scene = await Scene.MakeAsync("sqlite");
        await using var file = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={scene.Connection}");
        await file.OpenAsync(TestContext.Current.CancellationToken);

        var tables = await TextsAsync(file, "select substr(name, 10) from sqlite_master where type = 'table' and name like 'millrace#_%' escape '#'");
        tables.Except(leftBehind).Order().ShouldBe(MovedTable.All.Select(table => table.Name).Order());
        foreach (var table in MovedTable.All)
            (await TextsAsync(file, $"select name from pragma_table_info('millrace_{table.Name}')")).Order().ShouldBe(table.Columns.Select(column => column.Name).Order(), table.Name);
    }

    [Fact]
    public async Task A_database_that_is_in_use_is_not_moved()
    {
        await using var old = await Scene.MakeAsync("sqlite");
        await using var young = await Scene.MakeEmptyAsync("postgres");
        using var host = await old.StartAsync();
        await Eventually.IsAsync(async () => (await old.OkAsync("workers", "-o", "id")).Length > 0, "the worker");

        var run = await old.RunAsync("move", "--from", old.Connection, "--to", young.Connection, "--yes");

        run.Code.ShouldBe(5, run.ToString());
        run.Error.ShouldContain("--force-living");
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task A_move_of_100_000_jobs_that_is_killed_half_way_goes_on_where_it_was()
    {
        const int Jobs = 100_000;
        await using var old = await Scene.MakeAsync("sqlite");
        await using var young = await Scene.MakeEmptyAsync("postgres");
        await FillAsync(old, Jobs);
        string[] command = ["move", "--from", old.Connection, "--to", young.Connection, "--yes", "--quiet"];

        var killed = 0L;
        using (var process = old.Tool.Start(command))
        {
            await Eventually.IsAsync(async () => (killed = await NumberAsync(young, "select case when to_regclass('millrace.move') is null then 0 else (select count(*) from millrace.job) end", () => 0)) > Jobs / 4, "a quarter of the jobs");
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        killed.ShouldBeLessThan(Jobs, "it was to be killed before its end");
        (await NumberAsync(young, "select count(*) from millrace.ready")).ShouldBe(0, "nothing may be claimed before the move is over");
        var run = await old.RunAsync(command);

        run.Code.ShouldBe(0, run.ToString());
        (await NumberAsync(young, "select count(*) from millrace.job")).ShouldBe(Jobs);
        (await NumberAsync(young, "select count(*) from millrace.ready")).ShouldBe(Jobs / 2);
        (await NumberAsync(young, "select count(*) from millrace.scheduled")).ShouldBe(Jobs / 2);
        (await NumberAsync(young, "select count(*) from millrace.job j where not exists (select from millrace.ready r where r.id = j.id) and not exists (select from millrace.scheduled s where s.id = j.id)")).ShouldBe(0);
        (await NumberAsync(young, "select sum(id) from millrace.job")).ShouldBe(await SumOfIdsAsync(old));
        (await NumberAsync(young, "select count(*) from pg_class where relname = 'move' and relnamespace = 'millrace'::regnamespace")).ShouldBe(0);
    }

    private static async Task FillAsync(Scene scene, int count)
    {
        await using var store = scene.Open();
        for (var done = 0; done < count; done += 5000)
        {
            var ids = await store.TakeIdsAsync(5000, TestContext.Current.CancellationToken);
            var jobs = Enumerable.Range(0, 5000).Select(i => new NewJob { Id = ids.First + i, Nonce = ids.First + i, Type = "welcome", Data = $$"""{"name":"number {{i}}"}""", Delay = i % 2 == 0 ? TimeSpan.Zero : TimeSpan.FromDays(1) });
            await store.SubmitAsync([.. jobs], null, TestContext.Current.CancellationToken);
        }
    }

    // What is known of each job, but for what differs by nature: the order of members, and the name of the database.
    private static async Task<string> LookAsync(Scene scene) => await scene.OkAsync("list", "-o", "csv");

    private static async Task<long> SumOfIdsAsync(Scene scene)
    {
        await using var store = scene.Open();
        var (sum, after) = (0L, (IReadOnlyList<object?>?)null);
        while (true)
        {
            var rows = await ((IMoveSource)store).ExportAsync(MovedTable.All[0], after, 10_000, TestContext.Current.CancellationToken);
            sum += rows.Sum(row => (long)row[0]!);
            if (rows.Count < 10_000)
                return sum;
            after = [rows[^1][0]];
        }
    }

    private static async Task<List<string>> TextsAsync(Microsoft.Data.Sqlite.SqliteConnection file, string sql)
    {
        await using var command = file.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var texts = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            texts.Add(reader.GetString(0));
        return texts;
    }

    private static async Task<long> NumberAsync(Scene scene, string sql, Func<long>? otherwise = null)
    {
        await using var connection = new NpgsqlConnection(scene.Connection);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        try
        {
            return Convert.ToInt64(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken), System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (PostgresException) when (otherwise is not null)
        {
            return otherwise();
        }
    }
}
