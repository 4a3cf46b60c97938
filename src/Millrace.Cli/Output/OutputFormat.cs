namespace Millrace.Cli.Output;

/// <summary>How data is written to standard output.</summary>
internal enum OutputFormat
{
    Table,
    Json,
    Csv,
    Id,
}
