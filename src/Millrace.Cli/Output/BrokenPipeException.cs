namespace Millrace.Cli.Output;

/// <summary>Nobody reads standard output any more.</summary>
internal sealed class BrokenPipeException : Exception;
