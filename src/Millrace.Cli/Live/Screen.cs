using Millrace.Cli.Output;
using Spectre.Console;

namespace Millrace.Cli.Live;

/// <summary>Consoles of the drawing library on our streams.</summary>
internal static class Screen
{
    public static IAnsiConsole OnError(Terminal terminal) => Make(terminal.Error, terminal.ErrorHasColour);

    public static IAnsiConsole OnOut(Terminal terminal) => Make(terminal.Out, terminal.HasColour);

    private static IAnsiConsole Make(TextWriter writer, bool hasColour) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = AnsiSupport.Yes,
        ColorSystem = hasColour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
        Interactive = InteractionSupport.Yes,
        Out = new AnsiConsoleOutput(writer),
    });
}
