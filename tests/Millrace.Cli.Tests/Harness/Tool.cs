using System.Diagnostics;
using System.Text;

namespace Millrace.Cli.Tests;

/// <summary>How a run of the tool ended.</summary>
public sealed record ToolRun(int Code, string Out, string Error)
{
    /// <summary>Everything it said, for messages of tests.</summary>
    public override string ToString() => $"code {Code}\n--- out\n{Out}\n--- error\n{Error}";
}

/// <summary>The tool as a process, in an empty folder and with an empty home, so that nothing of the machine is found.</summary>
public sealed class Tool : IDisposable
{
    private static readonly TimeSpan longest = TimeSpan.FromMinutes(2);

    private readonly string? connection;

    public Tool(string? connection)
    {
        this.connection = connection;
        Folder = Directory.CreateTempSubdirectory("millrace-cli-").FullName;
    }

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "Millrace.Cli.dll");

    /// <summary>Where it runs, and its home.</summary>
    public string Folder { get; }

    public Task<ToolRun> RunAsync(params string[] arguments) => RunAsync(null, arguments);

    public async Task<ToolRun> RunAsync(string? input, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        using var process = Start(arguments, environment);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (input is not null)
            await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(longest);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"millrace {string.Join(' ', arguments)} did not end.\n{await output}\n{await error}");
        }

        return new ToolRun(process.ExitCode, await output, await error);
    }

    /// <summary>Starts it and lets it run.</summary>
    public Process Start(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null) => Start("dotnet", [Program, .. arguments], environment);

    /// <summary>Starts it so that it hears an interruption, also where the tests themselves run in the background of a shell: such a shell lets everything it starts ignore them.</summary>
    public Process StartInForeground(IReadOnlyList<string> arguments) => Start("env", ["--default-signal=INT", "dotnet", Program, .. arguments], environment: null);

    private Process Start(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        Prepare(start.Environment, environment);
        return Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
    }

    public void Prepare(IDictionary<string, string?> variables, IReadOnlyDictionary<string, string>? more = null)
    {
        foreach (var name in (string[])["CI", "NO_COLOR", "DOTNET_ENVIRONMENT", "ASPNETCORE_ENVIRONMENT", "MILLRACE_CONNECTION"])
            variables.Remove(name);
        variables["HOME"] = Folder;
        variables["XDG_CONFIG_HOME"] = Path.Combine(Folder, ".config");
        variables["TERM"] = "xterm-256color";
        variables["TZ"] = "UTC";
        if (connection is not null)
            variables["MILLRACE_CONNECTION"] = connection;
        foreach (var (name, value) in more ?? new Dictionary<string, string>())
            variables[name] = value;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
