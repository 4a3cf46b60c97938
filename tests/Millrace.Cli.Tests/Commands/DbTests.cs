using Npgsql;

namespace Millrace.Cli.Tests.Commands;

public sealed class DbTests
{
    [Theory]
    [MemberData(nameof(Scene.Kinds), MemberType = typeof(Scene))]
    public async Task The_sql_makes_the_schema_that_migrate_makes(string kind)
    {
        await using var scene = await Scene.MakeEmptyAsync(kind);
        var sql = await scene.Tool.RunAsync("db", "sql", "--database", kind);
        sql.Code.ShouldBe(0, sql.ToString());
        sql.Error.ShouldBe("", "standard output is the SQL, and there is nothing else to tell");

        await ExecuteAsync(scene, sql.Out);

        (await scene.OkAsync("db", "migrate")).ShouldContain("Nothing to do");
        (await scene.RunAsync("doctor")).Out.ShouldNotContain("schema_drift");
    }

    [Fact]
    public async Task The_sql_of_some_versions_is_that_of_all_cut()
    {
        using var tool = new Tool(null);
        var all = (await tool.RunAsync("db", "sql", "--database", "postgres")).Out;
        var first = (await tool.RunAsync("db", "sql", "--database", "postgres", "--to", "1")).Out;
        var rest = (await tool.RunAsync("db", "sql", "--database", "postgres", "--from", "1")).Out;

        (first + rest).ShouldBe(all);
        (await tool.RunAsync("db", "sql", "--database", "postgres", "--from", "7", "--to", "3")).Code.ShouldBe(2);
    }

    private static async Task ExecuteAsync(Scene scene, string sql)
    {
        if (scene.Kind == "sqlite")
        {
            await using var file = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={scene.Connection}");
            await file.OpenAsync(TestContext.Current.CancellationToken);
            await using var script = file.CreateCommand();
            script.CommandText = sql;
            await script.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            return;
        }

        await using var connection = new NpgsqlConnection(scene.Connection);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
