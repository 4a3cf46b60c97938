using System.Diagnostics;
using System.Reflection;

namespace Millrace.Processes;

/// <summary>How this program is started again.</summary>
internal static class StartCommand
{
    // A child is not the one that a service manager talks to, and starts no children of its own.
    private static readonly string[] NotInherited = [WorkerCount.Variable, "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"];

    // Started again, these would run all tests, or the design-time tool, a second time.
    private static readonly string[] NotOurProgram = ["testhost", "ef", "dotnet-ef", "GetDocument.Insider", "ReSharperTestRunner"];
    private static readonly string[] TestFrameworks = ["Microsoft.Testing.Platform", "Microsoft.VisualStudio.TestPlatform.", "xunit.v3.core", "nunit.framework", "TUnit.Engine"];

    /// <summary>Why this program cannot be started again as a child; null when it can.</summary>
    public static string? Refusal()
    {
        if (Environment.ProcessPath is not { } path)
            return "the path of its executable is not known";
        if (Path.GetFileNameWithoutExtension(path) is "w3wp" or "iisexpress")
            return "it runs inside IIS, whose worker process cannot be started again";
        if (Assembly.GetEntryAssembly()?.GetName().Name is not { } entry)
            return "it has no entry assembly, so it is hosted by another program";
        if (NotOurProgram.Contains(entry, StringComparer.OrdinalIgnoreCase))
            return $"it is run by {entry}";
        var framework = AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name)
            .FirstOrDefault(name => name is not null && TestFrameworks.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)));
        return framework is null ? null : $"it is a test program ({framework})";
    }

    /// <param name="messages">The handle of the pipe for the child's messages.</param>
    public static ProcessStartInfo Make(string messages)
    {
        var path = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program's executable is not known.");
        var arguments = Environment.GetCommandLineArgs();
        var start = new ProcessStartInfo(path)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (OperatingSystem.IsWindows())
            start.CreateNewProcessGroup = true;
        if (Path.GetFileNameWithoutExtension(path) is "dotnet")
        {
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(arguments[0]);
        }
        foreach (var argument in arguments.Skip(1))
            start.ArgumentList.Add(argument);

        foreach (var name in NotInherited)
            start.Environment.Remove(name);
        // The hook of "dotnet watch" speaks to one process only. Others (tracing agents) are wanted in a child too.
        if (start.Environment.TryGetValue("DOTNET_STARTUP_HOOKS", out var hooks) && hooks?.Contains("DotNetDeltaApplier", StringComparison.OrdinalIgnoreCase) == true)
            start.Environment.Remove("DOTNET_STARTUP_HOOKS");
        start.Environment[ChildLink.Variable] = messages;
        return start;
    }
}
