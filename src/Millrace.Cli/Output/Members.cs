using System.Collections;

namespace Millrace.Cli.Output;

/// <summary>
/// What a JSON object holds, in its order. Values: text, number, truth, time, span (written as milliseconds, so its name ends in <c>Ms</c>), <see cref="Members"/>, <see cref="JsonText"/>, or a sequence of these. A null is left out.
/// </summary>
internal sealed class Members : IEnumerable<KeyValuePair<string, object?>>
{
    private readonly List<KeyValuePair<string, object?>> members = [];

    public void Add(string name, object? value) => members.Add(new(name, value));

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => members.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => members.GetEnumerator();
}

/// <summary>Text that is JSON itself and stands in the document as what it says.</summary>
internal sealed record JsonText(string Text);
