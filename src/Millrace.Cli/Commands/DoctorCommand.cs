using System.CommandLine;
using Millrace.Cli.Changing;
using Millrace.Cli.Checking;
using Millrace.Cli.Output;
using Millrace.Storage;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace doctor [--fix]</c>: what is not as it should be, what it comes from, and what to do.</summary>
internal static class DoctorCommand
{
    private static readonly Option<bool> fix = new("--fix") { Description = "Run the statements that mend something and harm nothing, after showing them." };

    public static Command Make(Leaves leaves) => leaves.Make("doctor", "Look for what is not as it should be. Ends with code 1 when something is.", RunAsync, fix);

    private static async Task<ExitCode> RunAsync(Invocation invocation)
    {
        var store = invocation.OpenUnchecked();
        var report = await ReportAsync(invocation, store).ConfigureAwait(false);
        var findings = Sorted([.. report.Findings, .. SettingsCheck.Findings(Directory.GetCurrentDirectory(), Environment.GetEnvironmentVariable)]);
        if (invocation.Parsed.GetValue(fix) && await FixAsync(invocation, store, findings).ConfigureAwait(false))
        {
            report = await ReportAsync(invocation, store).ConfigureAwait(false);
            findings = Sorted([.. report.Findings, .. SettingsCheck.Findings(Directory.GetCurrentDirectory(), Environment.GetEnvironmentVariable)]);
        }

        invocation.Write("millrace.doctor.v1", null, Of(report, findings), page => Write(page, report, findings));
        return findings.Any(finding => finding.Severity >= Severity.Warning) ? ExitCode.Findings : ExitCode.Ok;
    }

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

    private static async Task<bool> FixAsync(Invocation invocation, IJobStore store, IReadOnlyList<Finding> findings)
    {
        var fixes = findings.Where(finding => finding.Fix is not null).ToList();
        if (fixes.Count == 0)
        {
            invocation.Say("There is nothing that a statement could mend without harm.");
            return false;
        }

        foreach (var finding in fixes)
            invocation.Terminal.Say($"{finding.Code}:  {Neutral.Line(finding.Fix ?? "")}");
        if (invocation.IsDryRun)
            return false;
        await Confirmation.AskAsync(invocation, $"Run {(fixes.Count == 1 ? "this statement" : $"these {fixes.Count} statements")} in {store.Name}", fixes.Count).ConfigureAwait(false);
        await using var connection = await store.Handlers.OpenConnectionAsync(invocation.Token).ConfigureAwait(false);
        foreach (var finding in fixes)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = finding.Fix;
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(invocation.Token).ConfigureAwait(false);
            invocation.Say($"{finding.Code}: done.", Ink.Green);
        }

        return true;
    }

    private static IReadOnlyList<Finding> Sorted(IReadOnlyList<Finding> findings) => [.. findings.OrderByDescending(finding => finding.Severity).ThenBy(finding => finding.Code, StringComparer.Ordinal)];

    private static Members Of(StoreReport report, IReadOnlyList<Finding> findings)
    {
        var figures = new Members();
        foreach (var (name, value) in report.Figures)
            figures.Add(name, value);
        return new Members
        {
            { "server", report.Server },
            { "schemaVersion", report.SchemaVersion },
            { "knownVersion", report.KnownVersion },
            { "figures", figures },
            { "findings", findings.Select(finding => new Members { { "code", finding.Code }, { "severity", finding.Severity.ToString().ToLowerInvariant() }, { "evidence", finding.Evidence }, { "cause", finding.Cause }, { "remedy", finding.Remedy }, { "fix", finding.Fix } }) },
        };
    }

    private static void Write(Page page, StoreReport report, IReadOnlyList<Finding> findings)
    {
        page.Pair("server", report.Server);
        page.Pair("schema", $"version {report.SchemaVersion} (this tool: {report.KnownVersion})");
        foreach (var (name, value) in report.Figures)
            page.Pair(name, value);
        foreach (var finding in findings)
        {
            page.Line();
            page.Line($"{finding.Severity.ToString().ToUpperInvariant()}  {finding.Code}", finding.Severity switch { Severity.Error => Ink.Red, Severity.Warning => Ink.Yellow, _ => Ink.Blue });
            page.Block($"{finding.Evidence}\nCause: {finding.Cause}\nDo: {finding.Remedy}{(finding.Fix is { } sql ? $"\nFix: {sql}" : "")}");
        }

        page.Line();
        if (findings.Count == 0)
            page.Line("All is well.", Ink.Green);
        else
            page.Line($"{findings.Count} {(findings.Count == 1 ? "finding" : "findings")}{(findings.Any(finding => finding.Fix is not null) ? "; to run the safe statements: millrace doctor --fix" : "")}");
    }
}
