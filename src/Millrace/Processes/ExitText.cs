namespace Millrace.Processes;

/// <summary>How a process ended, in words. Pure.</summary>
internal static class ExitText
{
    /// <param name="code">The exit code; above 128 it is taken for a signal, as shells do.</param>
    /// <param name="isUnix">Whether there are signals.</param>
    public static string Of(int code, bool isUnix)
    {
        if (!isUnix || code is <= 128 or > 128 + 64)
            return code == 0 ? "ended with exit code 0 although nobody had asked it to" : $"ended with exit code {code}";
        var signal = code - 128;
        return NameOf(signal) is { } name ? $"was ended by signal {signal} ({name})" : $"was ended by signal {signal}";
    }

    // Those that end processes, with the numbers that Linux and macOS share, and SIGBUS of Linux.
    private static string? NameOf(int signal) => signal switch
    {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT: an unhandled exception, a stack overflow or Environment.FailFast",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL: somebody killed it, or the system had no memory left",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => null,
    };
}
