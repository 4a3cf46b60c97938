using System.Diagnostics;
using System.Text.Json;
using CsCheck;
using Millrace.Inspecting;

namespace Millrace.Tests.Inspecting;

public sealed class RedactorTests
{
    private const string Canary = "c4n4ry-Zx9";

    private const string Schema = """{"type":"object","properties":{"card":{"type":"string","x-sensitive":true},"items":{"type":"array","items":{"properties":{"note":{"type":"string","x-sensitive":true}}}}}}""";

    [Theory]
    [InlineData("password")]
    [InlineData("PassWord")]
    [InlineData("user_password")]
    [InlineData("db-passwd")]
    [InlineData("Pwd")]
    [InlineData("clientSecret")]
    [InlineData("access_token")]
    [InlineData("API-Key")]
    [InlineData("AccessKey")]
    [InlineData("private_key")]
    [InlineData("Authorization")]
    [InlineData("Set-Cookie")]
    [InlineData("ConnectionString")]
    [InlineData("SSN")]
    [InlineData("customerSsn")]
    [InlineData("creditCard")]
    [InlineData("cvv")]
    [InlineData("pin")]
    [InlineData("userPin2")]
    [InlineData("PINCode")]
    [InlineData("p\\u0061ssword")]
    [InlineData("pass\\u200bword")]
    public void A_value_of_a_secret_name_is_blanked_whole(string name)
    {
        foreach (var value in (string[])[$"\"{Canary}\"", $"[1,\"{Canary}\"]", $$$"""{"a":{"b":"{{{Canary}}}"}}""", "4711"])
        {
            var shown = Redactor.Json($$"""{"a": 1, "{{name}}" : {{value}}, "z": true}""", null);

            shown.ShouldBe($$"""{"a": 1, "{{name}}" :"{{Redactor.Blank}}", "z": true}""");
            JsonDocument.Parse(shown).RootElement.GetProperty("z").GetBoolean().ShouldBeTrue();
        }
    }

    [Theory]
    [InlineData("shipping")]
    [InlineData("businessName")]
    [InlineData("opinion")]
    [InlineData("passenger")]
    [InlineData("author")]
    [InlineData("keyword")]
    [InlineData("cancellationToken")]
    public void A_name_that_only_holds_the_letters_is_not_secret(string name)
    {
        var json = $$"""{"{{name}}":"x"}""";

        Redactor.Json(json, null).ShouldBe(json);
    }

    [Fact]
    public void What_a_schema_marks_is_blanked_wherever_it_stands()
    {
        var shown = Redactor.Json($$$"""{"Card":"{{{Canary}}}","items":[{"note":"{{{Canary}}}","count":2}],"deep":{"note":["{{{Canary}}}"]}}""", Schema);

        shown.ShouldBe($$$"""{"Card":"{{{Redactor.Blank}}}","items":[{"note":"{{{Redactor.Blank}}}","count":2}],"deep":{"note":"{{{Redactor.Blank}}}"}}""");
        Redactor.Json("""{"card":1}""", "{not json").ShouldBe($"\"{Redactor.Blank}\"");
    }

    [Fact]
    public void Everything_else_stays_as_it_is_written()
    {
        const string json = """ { "a" : [1, 2.50, -1e5, null, true] , "text":"Grüße\u00e9 \"x\" \n", "empty": {} } """;

        Redactor.Json(json, Schema).ShouldBe(json);
        Redactor.Json("\"\"", null).ShouldBe("\"\"");
        Redactor.Json("", null).ShouldBe("");
        Redactor.Json("null", null).ShouldBe("null");
    }

    [Fact]
    public void Texts_inside_are_searched_too()
    {
        Redactor.Json($$"""{"target":"Host=db;Password={{Canary}};Timeout=5"}""", null).ShouldBe($$"""{"target":"Host=db;Password={{Redactor.Blank}};Timeout=5"}""");
        Redactor.Json($$"""{"inner":"{\"password\":\"{{Canary}}\",\"a\":1}"}""", null).ShouldNotContain(Canary);
        Redactor.Json($$"""{"https://u:{{Canary}}@host":1}""", null).ShouldNotContain(Canary);
    }

    [Fact]
    public void A_cut_preview_shows_what_can_be_read()
    {
        Redactor.Json("""{"path":"/docs/a","pages":12,"title":"A long tit""", null).ShouldBe("""{"path":"/docs/a","pages":12,"title":"A long…""");
        Redactor.Json("""{"path":"/docs/a","nu""", null).ShouldBe("""{"path":"/docs/a"…""");
        Redactor.Json($$"""{"password":"{{Canary}}""", null).ShouldBe($$"""{"password":"{{Redactor.Blank}}" """.TrimEnd());
        Redactor.Json("no json at all", null).ShouldBe("…");
        Redactor.Json("""{"a":1,"b":}{""", null).ShouldBe("""{"a":1,"b":…""");
    }

    [Fact]
    public void No_cut_shows_a_secret()
    {
        var json = JsonSerializer.Serialize(new
        {
            name = "a b",
            password = Canary,
            nested = new { apiKey = new[] { Canary, Canary }, text = $"see postgres://user:{Canary}@host/db and Password={Canary} x;" },
            card = Canary,
            headers = new Dictionary<string, string> { ["Authorization"] = $"Bearer {Canary}" },
            log = $"Authorization: Bearer {Canary}\nnext",
            jwt_text = $"got eyJhbGciOiJIUzI1NiJ9.{Canary}.sig from it",
            inner = $$$"""{"secret":{"a":"{{{Canary}}}"}}""",
        });

        for (var length = 0; length <= json.Length; length++)
            Redactor.Json(json[..length], Schema).ShouldNotContain(Canary[..6], customMessage: json[..length]);
    }

    [Theory]
    // Connection strings
    [InlineData("Host=db;Username=app;Password=@;Timeout=5", "Host=db;Username=app;Password=#;Timeout=5")]
    [InlineData("Data Source=x;pwd = @, still @;", "Data Source=x;pwd = #;")]
    [InlineData("Password='@;@';Host=x", "Password=#;Host=x")]
    [InlineData("connecting with \"Host=x;Password=@\" failed", "connecting with \"Host=x;Password=#\" failed")]
    [InlineData("AccountName=a;AccountKey=@==;EndpointSuffix=b", "AccountName=a;AccountKey=#;EndpointSuffix=b")]
    [InlineData("SharedAccessKey=@=;x", "SharedAccessKey=#;x")]
    // Addresses
    [InlineData("amqp://guest:@@host:5672/v", "amqp://guest:#@host:5672/v")]
    [InlineData("postgres://u:p/@@host/db failed", "postgres://u:#@host/db failed")]
    [InlineData("GET https://x/y?a=1&access_token=@&b=2 500", "GET https://x/y?a=1&access_token=#&b=2 500")]
    [InlineData("https://x/blob?sv=1&sig=@&se=2", "https://x/blob?sv=1&sig=#&se=2")]
    // Headers
    [InlineData("Authorization: Bearer @", "Authorization: #")]
    [InlineData("sent Bearer @ to it", "sent Bearer # to it")]
    [InlineData("Cookie: a=@; b=@\nHost: x", "Cookie: #\nHost: x")]
    // Pairs
    [InlineData("password: @", "password: #")]
    [InlineData("{\"password\":\"@\",\"a\":1}", "{\"password\":#,\"a\":1}")]
    [InlineData("{\"secrets\":{\"a\":[\"@\"]},\"b\":1}", "{\"secrets\":#,\"b\":1}")]
    [InlineData("{\\\"password\\\":\\\"@\\\"}", "{\\\"password\\\":\\#")]
    [InlineData("the api key: @", "the api key: #")]
    [InlineData("token: @", "token: #")]
    [InlineData("password=\"@", "password=#")]
    // Keys
    [InlineData("key AKIAIOSFODNN7EXAMPLE used", "key # used")]
    [InlineData("(ghp_16C7e42F292c6912E7710c838347Ae178B4a)", "(#)")]
    [InlineData("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1.", "got #")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----\n@\n@\n-----END RSA PRIVATE KEY-----\nx", "-----BEGIN RSA PRIVATE KEY-----#-----END RSA PRIVATE KEY-----\nx")]
    [InlineData("-----BEGIN PRIVATE KEY-----\n@", "-----BEGIN PRIVATE KEY-----#")]
    public void Secrets_in_free_text_are_blanked(string text, string shown)
    {
        var redacted = Redactor.Text(text.Replace("@@", $"{Canary}\u0001").Replace("@", Canary).Replace('\u0001', '@'));

        redacted.ShouldNotContain(Canary);
        redacted.ShouldBe(shown.Replace("#", Redactor.Blank));
    }

    [Theory]
    [InlineData("System.TimeoutException: The operation has timed out.\n   at App.TokenService.Get(String token) in Token.cs:line 42")]
    [InlineData("Microsoft.IdentityModel.Tokens.SecurityTokenExpiredException: IDX10223: Lifetime validation failed.")]
    [InlineData("Could not load file or assembly 'X, Version=1.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089'")]
    [InlineData("Unexpected token: }")]
    [InlineData("if (password == null) return; secret => x; token != 5")]
    [InlineData("http://host:8080/users/a@b.c is away")]
    [InlineData("Bearer authentication failed, basic checks passed")]
    [InlineData("at 12:30:05 job=17 user=42 state=failed")]
    [InlineData("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----")]
    [InlineData("")]
    public void What_is_no_secret_stays(string text) => Redactor.Text(text).ShouldBe(text);

    [Fact]
    public void Any_text_is_taken() =>
        Gen.Select(Gen.OneOf(Gen.String, Gen.OneOf(pieces).Array[0, 20].Select(string.Concat)), Gen.Bool).SampleSeeded(
            (text, hasSchema) =>
            {
                Redactor.Text(text);
                Redactor.Json(text, hasSchema ? Schema : null);
            },
            iter: 5_000);

    [Fact]
    public void Hostile_text_takes_linear_time()
    {
        string[] patterns =
            ["password=", "=", ":", "a=", "://", "://a:", "://u:p@", "\"", "\\\"", "{\"password\":", "eyJ", "a.", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "Bearer ", "pass word ", "[", "api key", "x-", "\\", "token: ", "' = "];
        foreach (var pattern in patterns)
        {
            var text = string.Concat(Enumerable.Repeat(pattern, 1_000_000 / pattern.Length));
            var began = Stopwatch.GetTimestamp();

            Redactor.Text(text);
            Redactor.Json(text, Schema);
            Redactor.Json($"{{\"a\":{JsonSerializer.Serialize(text)}}}", Schema);

            // Quadratic would be minutes.
            Stopwatch.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(10), pattern);
        }
    }

    private static readonly string[] pieces =
        ["{", "}", "[", "]", "\"", "\\", ":", ",", "password", "\"token\":", "eyJhbGciOiJIUzI1", "://", "a:b@c", " ", "\n", "Bearer ", "\\ud800", "\ud800", "-----BEGIN PRIVATE KEY-----", "=", "null", "12", "\\u00"];
}
