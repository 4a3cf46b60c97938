using Millrace.Sqlite;

namespace Millrace.Testing;

/// <summary>A database that one server has for itself, for as long as it lives.</summary>
internal abstract class Sandbox : IAsyncDisposable
{
    public static Sandbox Make() => new SqliteSandbox();

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
}
