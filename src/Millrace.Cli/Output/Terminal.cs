using System.Runtime.InteropServices;
using System.Text;

namespace Millrace.Cli.Output;

/// <summary>Where output goes, and what may be done there: colours, live drawing, questions. Data goes to <see cref="Out"/>, everything else to <see cref="Error"/>.</summary>
internal sealed class Terminal
{
    private const string Reset = "\e[0m";

    private bool isColourForbidden;

    private Terminal(TextWriter output, TextWriter error, TextReader input)
    {
        Out = output;
        Error = error;
        In = input;
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    public TextReader In { get; }

    public bool IsOutTerminal { get; private init; }

    public bool IsErrorTerminal { get; private init; }

    public bool IsInTerminal { get; private init; }

    /// <summary>Whether the terminal obeys escape sequences.</summary>
    public bool IsSmart { get; private init; }

    /// <summary>Somebody is there who can answer a question.</summary>
    public bool CanAsk => IsInTerminal && IsErrorTerminal && !IsCi;

    /// <summary>The screen may be redrawn: a terminal that is not dumb, and no robot's.</summary>
    public bool CanDrawLive => IsOutTerminal && IsInTerminal && IsSmart && !IsCi;

    /// <summary>A progress bar may be drawn on standard error.</summary>
    public bool CanDrawProgress => IsErrorTerminal && IsSmart && !IsCi;

    /// <summary>Columns of the terminal; null where output is not cut.</summary>
    public int? Width => IsOutTerminal ? Math.Max(40, ColumnsOfConsole()) : null;

    private static bool IsCi { get; } = Environment.GetEnvironmentVariable("CI") is { Length: > 0 } and not ("false" or "0");

    public static Terminal OfProcess()
    {
        var encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        if (OperatingSystem.IsWindows())
            Console.OutputEncoding = encoding;
        var term = Environment.GetEnvironmentVariable("TERM");
        return new Terminal(
            new StreamWriter(Console.OpenStandardOutput(), encoding, 16 * 1024) { AutoFlush = false, NewLine = "\n" },
            new StreamWriter(Console.OpenStandardError(), encoding) { AutoFlush = true, NewLine = "\n" },
            new StreamReader(Console.OpenStandardInput(), encoding))
        {
            IsOutTerminal = !Console.IsOutputRedirected,
            IsErrorTerminal = !Console.IsErrorRedirected,
            IsInTerminal = !Console.IsInputRedirected,
            // A console of Windows does not say which terminal it is; only the newer one is sure to obey.
            IsSmart = term != "dumb" && (term is { Length: > 0 } || Environment.GetEnvironmentVariable("WT_SESSION") is { Length: > 0 }),
            isColourForbidden = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 },
        };
    }

    public void ForbidColour() => isColourForbidden = true;

    public bool HasColour => IsOutTerminal && IsSmart && !isColourForbidden;

    /// <summary>For a Spectre console on standard error.</summary>
    public bool ErrorHasColour => IsErrorTerminal && IsSmart && !isColourForbidden;

    /// <summary>A text in a colour, where that is possible. The text is neutral already.</summary>
    public string Paint(string text, Ink ink) => HasColour && ink != Ink.Plain ? Code(ink) + text + Reset : text;

    /// <summary>A line for people, on standard error.</summary>
    public void Say(string line, Ink ink = Ink.Plain) =>
        Error.WriteLine(ErrorHasColour && ink != Ink.Plain ? Code(ink) + line + Reset : line);

    /// <summary>What went wrong, on standard error.</summary>
    public void Fail(string message)
    {
        var isFirst = true;
        foreach (var line in Neutral.Lines(message))
        {
            Say((isFirst ? "millrace: " : "  ") + line, Ink.Red);
            isFirst = false;
        }
    }

    public void Flush()
    {
        try
        {
            Out.Flush();
        }
        catch (IOException)
        {
            // Nobody reads any more.
        }
    }

    /// <summary>For output without an end: writes what there is, and ends the command when nobody reads any more.</summary>
    /// <exception cref="BrokenPipeException">The reader has gone.</exception>
    public void FlushStream()
    {
        try
        {
            Out.Flush();
        }
        catch (IOException)
        {
            throw new BrokenPipeException();
        }

        // The console's stream keeps a broken pipe to itself.
        if (!IsOutTerminal && !OperatingSystem.IsWindows() && ReaderHasGone())
            throw new BrokenPipeException();
    }

    private static bool ReaderHasGone()
    {
        const short Error = 8;
        var descriptor = new PollDescriptor { Descriptor = 1 };
        return Poll(ref descriptor, 1, 0) > 0 && (descriptor.Returned & Error) != 0;
    }

    private static int ColumnsOfConsole()
    {
        try
        {
            return Console.WindowWidth is > 0 and var columns ? columns : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }

    private static string Code(Ink ink) => ink switch
    {
        Ink.Red => "\e[31m",
        Ink.Green => "\e[32m",
        Ink.Yellow => "\e[33m",
        Ink.Blue => "\e[34m",
        Ink.Dim => "\e[2m",
        Ink.Bold => "\e[1m",
        _ => "",
    };

    [DllImport("libc", EntryPoint = "poll")]
    private static extern int Poll(ref PollDescriptor descriptors, nuint count, int timeout);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Requested;
        public short Returned;
    }
}

/// <summary>The few colours there are, each with one meaning.</summary>
internal enum Ink
{
    Plain,
    Red,
    Green,
    Yellow,
    Blue,
    Dim,
    Bold,
}
