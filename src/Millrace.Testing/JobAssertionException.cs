namespace Millrace.Testing;

/// <summary>What a test expected of its jobs is not so. The message says what was expected, what came nearest, and what happened so far.</summary>
public sealed class JobAssertionException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was expected and what was found.</param>
    /// <param name="innerException">What the handler threw; null for nothing.</param>
    public JobAssertionException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
