using System.Diagnostics;

namespace Millrace.System.Tests;

/// <summary>A PostgreSQL server that one test has for itself, to crash it.</summary>
public sealed class Cluster : IAsyncDisposable
{
    private readonly string directory = TestDatabase.Place;

    private Cluster()
    {
    }

    public string Server { get; private set; } = "";

    public static async Task<Cluster> StartAsync()
    {
        var cluster = new Cluster();
        var printed = await cluster.RunAsync("start", "alone");
        cluster.Server = printed.Split('\'')[1];
        return cluster;
    }

    /// <summary>A copy of it that follows it by streaming.</summary>
    public async Task<Cluster> FollowAsync()
    {
        var standby = new Cluster();
        var printed = await standby.RunAsync("standby", directory);
        standby.Server = printed.Split('\'')[1];
        return standby;
    }

    /// <summary>From a standby to a primary.</summary>
    public Task PromoteAsync() => RunAsync("promote");

    /// <summary>Stops it at once, as a power cut would.</summary>
    public Task CrashAsync() => RunAsync("crash");

    public Task ResumeAsync() => RunAsync("resume");

    public async ValueTask DisposeAsync() => await RunAsync("stop");

    private async Task<string> RunAsync(string verb, string? how = null)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { Script(), verb, directory, how }.OfType<string>())
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        // The server inherits standard error, so that one never ends: only what the script itself prints is read, and only when it fails.
        var printed = process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync(CancellationToken.None);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"postgres.sh {verb} ended with code {process.ExitCode}: {await process.StandardError.ReadToEndAsync()}");
        return await printed;
    }

    private static string Script()
    {
        for (var here = new DirectoryInfo(AppContext.BaseDirectory); here is not null; here = here.Parent)
        {
            if (File.Exists(Path.Combine(here.FullName, "Millrace.slnx")))
                return Path.Combine(here.FullName, "scripts", "postgres.sh");
        }
        throw new InvalidOperationException("The repository's root was not found above the tests.");
    }
}
