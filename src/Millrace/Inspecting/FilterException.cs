namespace Millrace.Inspecting;

/// <summary>A filter that does not parse.</summary>
/// <param name="position">The character at which it stops making sense, from 0.</param>
/// <param name="length">How many characters are meant, at least 1.</param>
/// <param name="message">What is wrong there, and what was expected.</param>
internal sealed class FilterException(int position, int length, string message) : Exception(message)
{
    public int Position => position;

    public int Length => length;
}
