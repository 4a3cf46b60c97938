using Millrace.Processes;

namespace Millrace;

/// <summary>What this process is to Millrace.</summary>
public static class MillraceProcess
{
    /// <summary>
    /// Whether this process is a worker that a server of the same program has started (see <see cref="WorkerOptions.Processes"/>). Such a process runs the program up to the point where the host is
    /// built, and not further: it opens no port, starts no other hosted service, and never returns from <c>Build()</c>. Ask it where the set-up of both must differ.
    /// </summary>
    public static bool IsChild => ChildLink.Current is not null;
}
