namespace Millrace.Cli;

/// <summary>How the process ends. A contract: scripts rely on these numbers, and <c>docs/cli.md</c> lists them.</summary>
internal enum ExitCode
{
    Ok = 0,

    /// <summary>Something was found (<c>doctor</c>, <c>health</c>), or the job that was waited for failed.</summary>
    Findings = 1,

    /// <summary>The command line makes no sense.</summary>
    Usage = 2,

    CannotConnect = 3,

    NotFound = 4,

    /// <summary>A confirmation or a permission is missing. Nothing was changed.</summary>
    Refused = 5,

    /// <summary>The job has moved on since it was looked at, or its state does not allow the change. Nothing was changed.</summary>
    Conflict = 6,

    Timeout = 7,

    /// <summary>The schema is older or newer than this tool.</summary>
    Schema = 8,

    Bug = 70,

    Interrupted = 130,
}
