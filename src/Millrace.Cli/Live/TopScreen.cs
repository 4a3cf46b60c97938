using Millrace.Cli.Output;
using Spectre.Console;

namespace Millrace.Cli.Live;

/// <summary>Runs <c>millrace top</c> on the terminal's other screen: reads the state once a second, the keys at once, and leaves the terminal as it was.</summary>
internal sealed class TopScreen(Invocation invocation, Func<CancellationToken, Task<TopState>> read)
{
    private static readonly TimeSpan glance = TimeSpan.FromMilliseconds(50);

    private TopPane chosen;
    private int scrolled;
    private bool isPaused;
    private bool isOver;

    public async Task<ExitCode> RunAsync()
    {
        var terminal = invocation.Terminal;
        var console = Screen.OnOut(terminal);
        var state = await read(invocation.Token).ConfigureAwait(false);
        terminal.Out.Write("\e[?1049h\e[?25l");
        try
        {
            await FollowAsync(console, state).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (invocation.Interrupted.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        finally
        {
            terminal.Out.Write("\e[?25h\e[?1049l");
            terminal.Flush();
        }

        return ExitCode.Ok;
    }

    private async Task FollowAsync(IAnsiConsole console, TopState state)
    {
        var time = invocation.Time;
        var (drawn, size) = (time.GetTimestamp(), SizeOfConsole());
        Draw(console, state, size);
        while (!isOver)
        {
            var isChanged = ReadKeys();
            if (SizeOfConsole() is var now && now != size)
                (size, isChanged) = (now, true);
            if (!isPaused && time.GetElapsedTime(drawn) >= Watching.Pause)
            {
                state = await read(invocation.Token).ConfigureAwait(false);
                (drawn, isChanged) = (time.GetTimestamp(), true);
            }

            if (isChanged)
                Draw(console, state, size);
            if (!isOver)
                await Task.Delay(glance, time, invocation.Token).ConfigureAwait(false);
        }
    }

    private void Draw(IAnsiConsole console, TopState state, (int Columns, int Rows) size)
    {
        // One row less, or the last line's end scrolls the screen.
        console.Profile.Width = size.Columns;
        console.Profile.Height = size.Rows - 1;
        invocation.Terminal.Out.Write("\e[H");
        console.Write(TopView.Draw(state, chosen, scrolled, isPaused, invocation.IsUtc, (size.Columns, size.Rows - 1)));
        invocation.Terminal.Out.Write("\e[J");
        invocation.Terminal.Flush();
    }

    private bool ReadKeys()
    {
        var isPressed = false;
        while (Console.KeyAvailable)
        {
            isPressed = true;
            Press(Console.ReadKey(intercept: true).Key);
        }

        return isPressed;
    }

    private void Press(ConsoleKey key)
    {
        switch (key)
        {
            case ConsoleKey.Q or ConsoleKey.Escape:
                isOver = true;
                break;
            case ConsoleKey.P:
                isPaused = !isPaused;
                break;
            case ConsoleKey.RightArrow or ConsoleKey.Tab:
                (chosen, scrolled) = ((TopPane)(((int)chosen + 1) % 4), 0);
                break;
            case ConsoleKey.LeftArrow:
                (chosen, scrolled) = ((TopPane)(((int)chosen + 3) % 4), 0);
                break;
            case ConsoleKey.DownArrow:
                scrolled++;
                break;
            case ConsoleKey.UpArrow:
                scrolled = Math.Max(0, scrolled - 1);
                break;
        }
    }

    private static (int Columns, int Rows) SizeOfConsole()
    {
        try
        {
            return (Math.Max(60, Console.WindowWidth), Math.Max(16, Console.WindowHeight));
        }
        catch (IOException)
        {
            return (80, 24);
        }
    }
}
