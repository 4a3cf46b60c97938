using Millrace.Sqlite;
using Npgsql;

namespace Millrace.Testing;

/// <summary>A database that one server has for itself, for as long as it lives.</summary>
internal abstract class Sandbox : IAsyncDisposable
{
    public static Sandbox Make(JobTestOptions options) => options.Postgres is { } server ? new PostgresSandbox(server) : new SqliteSandbox();

    public abstract void Choose(MillraceBuilder builder);

    public abstract ValueTask DisposeAsync();

    private static string NewName() => $"millrace_test_{Guid.NewGuid():N}";

    private sealed class SqliteSandbox : Sandbox
    {
        private readonly string directory = Path.Combine(Path.GetTempPath(), NewName());

        // Nothing here has to survive a power cut.
        public override void Choose(MillraceBuilder builder) => builder.UseSqlite(Path.Combine(directory, "jobs.db"), sqlite => sqlite.Synchronous = SqliteSynchronous.Normal);

        public override ValueTask DisposeAsync()
        {
            try
            {
                if (Directory.Exists(directory))
                    Directory.Delete(directory, recursive: true);
            }
            catch (IOException)
            {
                // A connection that the test left open holds the file on Windows. It lies among the temporary files.
            }
            return ValueTask.CompletedTask;
        }
    }

    private sealed class PostgresSandbox(string server) : Sandbox
    {
        private readonly string schema = NewName();

        // The schema is the search path: the view, and tables that handlers make, go there too, and two servers do not meet in one database.
        public override void Choose(MillraceBuilder builder) => builder.UsePostgres(
            new NpgsqlConnectionStringBuilder(server) { SearchPath = schema }.ConnectionString,
            postgres => postgres.Schema = schema);

        public override async ValueTask DisposeAsync()
        {
            var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString);
            await using (connection.ConfigureAwait(false))
            {
                await connection.OpenAsync().ConfigureAwait(false);
                await using var drop = new NpgsqlCommand($"drop schema if exists \"{schema}\" cascade", connection);
                await drop.ExecuteNonQueryAsync().ConfigureAwait(false);
            }
        }
    }
}
