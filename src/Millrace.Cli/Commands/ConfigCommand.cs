using System.CommandLine;
using Millrace.Cli.Output;
using Millrace.Cli.Targets;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace config show</c>: which database would be used, and why.</summary>
internal static class ConfigCommand
{
    public static Command Make(Leaves leaves) => leaves.MakeGroup(
        "config",
        "Where the tool finds its database.",
        leaves.Make("show", "Tell which database would be used, where its name was found, and what was looked at before. Does not connect.", ShowAsync));

    private static Task<ExitCode> ShowAsync(Invocation invocation)
    {
        var target = invocation.Target;
        var name = Stores.NameOf(target);
        var tried = invocation.Finder.Tried;
        var members = new Members { { "database", name }, { "source", target.Source }, { "isProduction", target.IsProduction }, { "profiles", ProfileFile.OfUser().Path }, { "tried", tried } };
        invocation.Write("millrace.config.v1", name, members, page =>
        {
            page.Pair("database", name, target.IsProduction ? Ink.Red : Ink.Plain);
            page.Pair("found in", target.Source);
            page.Pair("production", target.IsProduction ? "yes: changes ask first" : "no");
            page.Pair("profiles", ProfileFile.OfUser().Path);
            foreach (var place in tried)
                page.Pair("tried before", place);
        });
        return Task.FromResult(ExitCode.Ok);
    }
}
