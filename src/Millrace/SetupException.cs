namespace Millrace;

/// <summary>Millrace cannot start as it is set up. The message lists everything that is wrong at once, with what to do about it.</summary>
public sealed class SetupException : Exception
{
    internal SetupException(IReadOnlyList<string> faults, Exception? innerException = null)
        : base(faults.Count == 1 ? faults[0] : $"Millrace cannot start; {faults.Count} things are wrong:{string.Concat(faults.Select(fault => $"{Environment.NewLine}- {fault}"))}", innerException) => Faults = faults;

    /// <summary>What is wrong, one sentence or two each.</summary>
    public IReadOnlyList<string> Faults { get; }
}
