using Millrace.Testing;

namespace Millrace.Tests.Testing;

public sealed class PostgresJobTestServerTests : JobTestServerTests
{
    protected override JobTestOptions Options
    {
        get
        {
            var server = Environment.GetEnvironmentVariable("MILLRACE_TEST_POSTGRES");
            Assert.SkipWhen(string.IsNullOrEmpty(server), "MILLRACE_TEST_POSTGRES names no server.");
            return new JobTestOptions { Postgres = server };
        }
    }

    [Fact]
    public async Task The_schema_is_gone_afterwards()
    {
        string schema;
        await using (var server = await StartAsync())
            schema = await TextAsync(server, "select current_schema()");

        await using var other = await StartAsync();
        schema.ShouldStartWith("millrace_test_");
        (await TextAsync(other, $"select count(*)::text from information_schema.schemata where schema_name = '{schema}'")).ShouldBe("0");
    }
}
