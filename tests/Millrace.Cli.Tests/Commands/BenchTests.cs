using Npgsql;

namespace Millrace.Cli.Tests.Commands;

public sealed class BenchTests
{
    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task A_bench_leaves_nothing_behind_and_touches_nothing_that_is_there(string kind)
    {
        await using var scene = await Scene.MakeAsync(kind);
        var job = await scene.SubmitAsync(new Welcome("Ada"));

        var run = await scene.RunAsync("bench", "--duration", "100ms", "--json");

        run.Code.ShouldBe(0, run.ToString());
        run.Out.ShouldContain("submit to start");
        (await scene.OkAsync("list", "-o", "id")).ShouldBe($"{job}\n");
        if (kind == "sqlite")
        {
            Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(scene.Connection)!, "*bench*").ShouldBeEmpty();
            return;
        }

        await using var connection = new NpgsqlConnection(scene.Connection);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("select count(*) from pg_namespace where nspname like '%bench%'", connection);
        (await command.ExecuteScalarAsync(TestContext.Current.CancellationToken)).ShouldBe(0L);
    }
}
