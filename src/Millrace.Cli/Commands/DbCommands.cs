using System.CommandLine;
using Millrace.Cli.Changing;
using Millrace.Cli.Output;
using Millrace.Cli.Targets;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace db status|migrate|sql</c>: the schema.</summary>
internal static class DbCommands
{
    private static readonly Option<int> from = new("--from") { HelpName = "n", Description = "The version the schema has. 0, none, by default." };
    private static readonly Option<int?> to = new("--to") { HelpName = "n", Description = "The version it shall have. The newest by default." };
    private static readonly Option<TargetKind?> database = new("--database") { HelpName = "product", Description = "postgres or sqlite, when there is no connection to tell." };

    public static Command Make(Leaves leaves) => leaves.MakeGroup(
        "db",
        "The schema: its version, migrations, and their SQL.",
        leaves.Make("status", "Tell the version of the schema, and sizes. Ends with code 8 when this tool does not go with it.", StatusAsync),
        leaves.Make("migrate", "Bring the schema up to date. Makes a SQLite file that is missing.", MigrateAsync),
        leaves.Make("sql", "Print the SQL of migrations, and nothing else. Needs no connection with --database.", SqlAsync, from, to, database));

    private static async Task<ExitCode> StatusAsync(Invocation invocation)
    {
        var store = invocation.OpenUnchecked();
        var report = await ReportAsync(invocation, store).ConfigureAwait(false);
        var figures = new Members();
        foreach (var (name, value) in report.Figures)
            figures.Add(name, value);
        var members = new Members { { "server", report.Server }, { "schemaVersion", report.SchemaVersion }, { "knownVersion", report.KnownVersion }, { "figures", figures } };
        invocation.Write("millrace.status.v1", null, members, page =>
        {
            page.Pair("server", report.Server);
            page.Pair("schema", report.SchemaVersion == 0 ? "none" : $"version {report.SchemaVersion}", report.SchemaVersion < report.KnownVersion ? Ink.Yellow : Ink.Plain);
            page.Pair("this tool", $"version {report.KnownVersion}");
            foreach (var (name, value) in report.Figures)
                page.Pair(name, value);
        });
        if (report.SchemaVersion < report.KnownVersion)
            invocation.Say("Migrations are missing. To apply them: millrace db migrate", Ink.Yellow);
        else if (report.SchemaVersion > report.KnownVersion + 1)
            invocation.Say("The schema is too new for this tool. To upgrade it: dotnet tool update -g Millrace.Cli", Ink.Yellow);
        return report.SchemaVersion >= report.KnownVersion && report.SchemaVersion <= report.KnownVersion + 1 ? ExitCode.Ok : ExitCode.Schema;
    }

    private static async Task<ExitCode> MigrateAsync(Invocation invocation)
    {
        var store = invocation.OpenUnchecked(mayBeMade: !invocation.IsDryRun);
        var before = await VersionAsync(invocation, store).ConfigureAwait(false);
        var known = Scripts.Newest(invocation.Target.Kind);
        if (invocation.IsDryRun)
        {
            Say(invocation, before, known, before >= known ? "Nothing to do: the schema is up to date." : $"Would apply the migrations {before + 1} to {known}. Their SQL: millrace db sql --from {before}");
            return ExitCode.Ok;
        }

        if (before < known)
            await Confirmation.AskInProductionAsync(invocation, $"Migrate {store.Name} from version {before} to {known}").ConfigureAwait(false);
        await store.MigrateAsync(apply: true, invocation.Token).ConfigureAwait(false);
        Say(invocation, before, Math.Max(before, known), before >= known ? "Nothing to do: the schema is up to date." : $"The schema is at version {known} now; it was at {before}.");
        return ExitCode.Ok;
    }

    private static Task<ExitCode> SqlAsync(Invocation invocation)
    {
        var parsed = invocation.Parsed;
        var target = parsed.GetValue(database) is { } product ? new Target(product, "", null, "--database", IsProduction: false) : invocation.Target;
        var newest = Scripts.Newest(target.Kind);
        var (first, last) = (parsed.GetValue(from), parsed.GetValue(to) ?? newest);
        if (first < 0 || last > newest || first > last)
            throw CommandException.Usage($"--from {first} --to {last} are no versions of the schema, which go from 0 (nothing) to {newest}.");
        invocation.Terminal.Out.Write(Scripts.Write(target, first, last));
        return Task.FromResult(ExitCode.Ok);
    }

    private static async Task<int> VersionAsync(Invocation invocation, IJobStore store) =>
        invocation.Target.Kind == TargetKind.Sqlite && !File.Exists(invocation.Target.Connection) ? 0 : (await ReportAsync(invocation, store).ConfigureAwait(false)).SchemaVersion;

    private static async Task<StoreReport> ReportAsync(Invocation invocation, IJobStore store)
    {
        try
        {
            return await store.Inspection.ReportAsync(invocation.Token).ConfigureAwait(false);
        }
        catch (StoreException exception)
        {
            throw new CommandException(ExitCode.CannotConnect, exception.Message);
        }
    }

    private static void Say(Invocation invocation, int before, int after, string sentence) =>
        invocation.Write("millrace.migration.v1", null, new Members { { "before", before }, { "after", after } }, page => page.Line(sentence));
}
