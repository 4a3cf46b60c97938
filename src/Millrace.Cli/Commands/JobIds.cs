using System.CommandLine;

namespace Millrace.Cli.Commands;

/// <summary>Ids of jobs on the command line: <c>4711</c> or <c>#4711</c>.</summary>
internal static class JobIds
{
    public static Argument<long> One() => new("id") { Description = "The id of a job.", CustomParser = result => Parse(result.Tokens[0].Value, result) };

    public static Argument<long[]> Many() => new("ids")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description = "Ids of jobs.",
        CustomParser = result => [.. result.Tokens.Select(token => Parse(token.Value, result))],
    };

    private static long Parse(string text, System.CommandLine.Parsing.ArgumentResult result)
    {
        if (long.TryParse(text.TrimStart('#'), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var id) && id > 0)
            return id;
        result.AddError($"\"{text}\" is not the id of a job: ids are numbers, such as 4711.");
        return 0;
    }
}
