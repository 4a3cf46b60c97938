using System.CommandLine;
using Millrace.Cli.Output;
using Millrace.Cli.Targets;
using Millrace.Submitting;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace profile add|list|remove</c>: databases that have a name.</summary>
internal static class ProfileCommands
{
    private static readonly Argument<string> name = new("name") { Description = "The profile's name." };
    private static readonly Argument<string> connection = new("connection") { Description = "A connection string or URI of PostgreSQL, the path of a SQLite file, or - to read it from standard input (so that no password stands in the shell's history)." };
    private static readonly Option<bool> production = new("--production") { Description = "It is a production database: ask before each change." };
    private static readonly Option<bool> standard = new("--default") { Description = "Use it when no other database is named." };

    public static Command Make(Leaves leaves) => leaves.MakeGroup(
        "profile",
        "Databases that have a name, for --profile. Kept in a file that only you can read.",
        ListAsync,
        leaves.Make("add", "Store a profile, or replace it.", AddAsync, name, connection, production, standard),
        leaves.Make("list", "List profiles, without passwords.", ListAsync),
        leaves.Make("remove", "Remove a profile.", RemoveAsync, name));

    private static async Task<ExitCode> AddAsync(Invocation invocation)
    {
        var (wanted, text) = (invocation.Parsed.GetRequiredValue(name), invocation.Parsed.GetRequiredValue(connection));
        if (text == "-")
            text = (await invocation.Terminal.In.ReadLineAsync(invocation.Token).ConfigureAwait(false))?.Trim() ?? "";
        if (wanted.Length is 0 or > 100 || wanted.Any(character => !Neutral.IsVisible(character)))
            throw CommandException.Usage("A profile's name must be 1 to 100 visible characters.");
        var target = Target.Of(text, invocation.Schema, wanted);
        var profiles = ProfileFile.OfUser();
        profiles.Put(new Profile(wanted, target.Connection, invocation.Schema, invocation.Parsed.GetValue(production), invocation.Parsed.GetValue(standard)));
        invocation.Say($"Profile {wanted} is stored in {profiles.Path}. To use it: --profile {wanted}");
        return ExitCode.Ok;
    }

    private static Task<ExitCode> ListAsync(Invocation invocation)
    {
        invocation.Write(Sheet, [.. ProfileFile.OfUser().All]);
        return Task.FromResult(ExitCode.Ok);
    }

    private static Task<ExitCode> RemoveAsync(Invocation invocation)
    {
        var (wanted, profiles) = (invocation.Parsed.GetRequiredValue(name), ProfileFile.OfUser());
        if (!profiles.Remove(wanted))
            throw CommandException.NotFound($"There is no profile \"{wanted}\" in {profiles.Path}.{NearestName.Question(wanted, profiles.Names)}");
        invocation.Say($"Profile {wanted} is removed.");
        return Task.FromResult(ExitCode.Ok);
    }

    private static Sheet<Profile> Sheet { get; } = new(
        "millrace.profiles.v1",
        "profiles",
        profile => profile.Name,
        [
            new("name", "PROFILE", profile => profile.Name),
            new("database", "DATABASE", profile => Stores.NameOf(Target.Of(profile.Connection, profile.Schema, profile.Name))) { IsElastic = true },
            new("isProduction", "PRODUCTION", profile => profile.IsProduction || Target.LooksLikeProduction($"{profile.Name} {Stores.NameOf(Target.Of(profile.Connection, profile.Schema, profile.Name))}")) { Ink = _ => Ink.Red },
            new("isDefault", "DEFAULT", profile => profile.IsDefault),
        ]);
}
