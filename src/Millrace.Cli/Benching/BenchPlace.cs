using System.Security.Cryptography;
using Millrace.Cli.Targets;
using Millrace.Postgres;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Cli.Benching;

/// <summary>A database for one bench: a schema of its own beside the real one, or a file of its own on the same disk. Gone when it is disposed of.</summary>
internal sealed class BenchPlace : IAsyncDisposable
{
    private readonly string? folder;

    private BenchPlace(Target target, string? folder) => (Target, this.folder) = (target, folder);

    public Target Target { get; }

    public static BenchPlace Beside(Target real)
    {
        var name = $"millrace_bench_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(5))}";
        return real.Kind == TargetKind.Sqlite ? BesideFile(real, name) : BesideSchema(real, name);
    }

    private static BenchPlace BesideFile(Target real, string name)
    {
        var parent = Path.GetDirectoryName(real.Connection);
        var folder = Path.Combine(Directory.Exists(parent) ? parent : Path.GetTempPath(), name);
        Directory.CreateDirectory(folder);
        return new BenchPlace(real with { Connection = Path.Combine(folder, "bench.db"), IsProduction = false }, folder);
    }

    // The view worker_jobs stands in the connection's first schema: with this path that is the bench's own too.
    private static BenchPlace BesideSchema(Target real, string name)
    {
        var settings = new NpgsqlConnectionStringBuilder(real.Connection) { SearchPath = name, ApplicationName = "millrace bench" };
        return new BenchPlace(real with { Connection = settings.ConnectionString, Schema = name }, null);
    }

    public async ValueTask DisposeAsync()
    {
        if (folder is not null)
        {
            Directory.Delete(folder, recursive: true);
            return;
        }

        await using var store = Stores.Make(Target);
        await ((PostgresStore)store).DropAsync(CancellationToken.None).ConfigureAwait(false);
    }
}
