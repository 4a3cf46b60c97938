using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Millrace.Inspecting;

/// <summary>Which names say that their value is secret. Pure.</summary>
internal static class SensitiveNames
{
    /// <summary>What a schema says of a member with <see cref="SensitiveAttribute"/>.</summary>
    public const string Mark = "x-sensitive";

    // Anywhere in a name, whatever its case, underscores and hyphens.
    private static readonly string[] parts =
    [
        "password", "passwd", "passphrase", "passcode", "secret", "token", "credential", "authorization", "cookie", "bearer",
        "apikey", "accesskey", "accountkey", "privatekey", "secretkey", "sharedkey", "signingkey", "encryptionkey", "masterkey",
        "sharedaccesssignature", "connectionstring", "creditcard", "cardnumber", "socialsecurity",
    ];

    // Only as whole words: "businessName" holds the letters of ssn, "shipping" those of pin.
    private static readonly HashSet<string> words = new(["pwd", "pass", "pin", "ssn", "cvv", "cvc", "otp", "jwt"], StringComparer.OrdinalIgnoreCase);

    // Names that hold one of the parts and are no secret; assemblies carry the one, handlers the other.
    private static readonly string[] harmless = ["publickeytoken", "cancellationtoken"];

    private static readonly ConditionalWeakTable<string, HashSet<string>> bySchema = [];

    /// <summary>Whether a name looks like that of a password, a key, a token.</summary>
    public static bool Look(ReadOnlySpan<char> name)
    {
        var letters = Letters(name);
        return (parts.Any(letters.Contains) && !harmless.Contains(letters)) || HasWord(name);
    }

    /// <summary>Whether a phrase of several words ends in one of the names: <c>the api key</c>.</summary>
    public static bool EndsLike(ReadOnlySpan<char> phrase)
    {
        var letters = Letters(phrase);
        return parts.Any(part => letters.EndsWith(part, StringComparison.Ordinal)) && !harmless.Any(name => letters.EndsWith(name, StringComparison.Ordinal));
    }

    /// <summary>The names that a schema marks with <c>"x-sensitive": true</c>, wherever they stand: what has a secret's name in one place is taken for one in all.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static IReadOnlySet<string> Marked(string schema) => bySchema.GetValue(schema, static text =>
    {
        using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 1024 });
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        Collect(document.RootElement, names);
        return names;
    });

    private static void Collect(JsonElement schema, HashSet<string> names)
    {
        if (schema.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in schema.EnumerateArray())
                Collect(item, names);
        }

        if (schema.ValueKind != JsonValueKind.Object)
            return;
        foreach (var member in schema.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Object && member.Value.TryGetProperty(Mark, out var mark) && mark.ValueKind == JsonValueKind.True)
                names.Add(member.Name);
            Collect(member.Value, names);
        }
    }

    private static string Letters(ReadOnlySpan<char> name)
    {
        var letters = new char[name.Length];
        var count = 0;
        foreach (var c in name)
        {
            if (char.IsLetterOrDigit(c))
                letters[count++] = char.ToLowerInvariant(c);
        }

        return new string(letters, 0, count);
    }

    /// <summary>Words end where the kind of letters changes: userPin, user_pin, PINCode.</summary>
    private static bool HasWord(ReadOnlySpan<char> name)
    {
        var lookup = words.GetAlternateLookup<ReadOnlySpan<char>>();
        var start = 0;
        for (var i = 0; i <= name.Length; i++)
        {
            var isEnd = i == name.Length || !char.IsLetter(name[i]);
            var isNew = !isEnd && i > start && char.IsUpper(name[i]) && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (!isEnd && !isNew)
                continue;
            if (i > start && lookup.Contains(name[start..i]))
                return true;
            start = isEnd ? i + 1 : i;
        }

        return false;
    }
}
