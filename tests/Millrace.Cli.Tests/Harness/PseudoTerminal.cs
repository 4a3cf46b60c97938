using System.Diagnostics;
using System.Text;

namespace Millrace.Cli.Tests;

/// <summary>The tool in a pseudo-terminal of 120 by 40, which <c>script</c> makes: it believes that a person sits there.</summary>
internal sealed class PseudoTerminal : IDisposable
{
    private readonly Process process;
    private readonly StringBuilder seen = new();
    private readonly Task reading;

    private PseudoTerminal(Process process)
    {
        this.process = process;
        reading = ReadAsync();
    }

    /// <summary>All that was written to the screen until now, escape sequences too.</summary>
    public string Seen
    {
        get
        {
            lock (seen)
                return seen.ToString();
        }
    }

    public static PseudoTerminal Start(Tool tool, params string[] arguments)
    {
        var command = $"stty cols 120 rows 40; exec dotnet {Tool.Program} {string.Join(' ', arguments.Select(argument => $"'{argument}'"))}";
        var start = new ProcessStartInfo("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"])
        {
            WorkingDirectory = tool.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        tool.Prepare(start.Environment);
        start.Environment["SHELL"] = "/bin/sh";
        return new PseudoTerminal(Process.Start(start) ?? throw new InvalidOperationException("script did not start."));
    }

    public async Task TypeAsync(string keys)
    {
        await process.StandardInput.WriteAsync(keys);
        await process.StandardInput.FlushAsync();
    }

    public Task SeeAsync(string text) => Eventually.IsAsync(() => Seen.Contains(text, StringComparison.Ordinal), $"\"{text}\" on the screen", () => Seen);

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync()
    {
        await Eventually.IsAsync(() => process.HasExited, "the end of the program", () => Seen);
        await reading;
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        process.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new char[4096];
        while (await process.StandardOutput.ReadAsync(buffer) is > 0 and var count)
        {
            lock (seen)
                seen.Append(buffer, 0, count);
        }
    }
}
