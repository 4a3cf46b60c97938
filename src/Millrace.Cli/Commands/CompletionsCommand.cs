using System.CommandLine;
using Millrace.Cli.Output;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace completions bash|zsh|fish|pwsh</c>: a script for the shell's start-up file. It asks the tool itself what may follow.</summary>
internal static class CompletionsCommand
{
    private static readonly Argument<Shell> shell = new("shell") { HelpName = "shell", Description = "bash, zsh, fish or pwsh." };

    private const string Bash = """
        # In ~/.bashrc: eval "$(millrace completions bash)"
        _millrace() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(millrace "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _millrace millrace
        """;

    private const string Zsh = """
        # In ~/.zshrc, after compinit: eval "$(millrace completions zsh)"
        _millrace() {
            local -a found
            found=("${(@f)$(millrace "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -- "${found[@]}"
        }
        compdef _millrace millrace
        """;

    private const string Fish = """
        # In ~/.config/fish/config.fish: millrace completions fish | source
        complete --command millrace --no-files --arguments '(millrace "[suggest:"(commandline --cursor)"]" (commandline) 2>/dev/null)'
        """;

    private const string Pwsh = """
        # In $PROFILE: millrace completions pwsh | Out-String | Invoke-Expression
        Register-ArgumentCompleter -Native -CommandName millrace -ScriptBlock {
            param($wordToComplete, $commandAst, $cursorPosition)
            millrace "[suggest:$cursorPosition]" "$commandAst" 2>$null | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
            }
        }
        """;

    public static Command Make(Leaves leaves) => leaves.Make("completions", "Print a script that completes commands and options in a shell.", Run, shell);

    private static Task<ExitCode> Run(Invocation invocation)
    {
        invocation.Terminal.Out.WriteLine((invocation.Parsed.GetValue(shell) switch { Shell.Bash => Bash, Shell.Zsh => Zsh, Shell.Fish => Fish, _ => Pwsh }).ReplaceLineEndings("\n"));
        return Task.FromResult(ExitCode.Ok);
    }

    private enum Shell
    {
        Bash,
        Zsh,
        Fish,
        Pwsh,
    }
}
