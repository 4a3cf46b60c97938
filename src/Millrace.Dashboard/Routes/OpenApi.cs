using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Showing;

namespace Millrace.Dashboard.Routes;

/// <summary>
/// The OpenAPI document, made from the table of routes and the types of their answers. Not by the host's generator: that one describes all of an application, and only where the application has set it up.
/// </summary>
internal static class OpenApi
{
    private static readonly Lazy<byte[]> bytes = new(() => System.Text.Encoding.UTF8.GetBytes(Describe().ToJsonString(new JsonSerializerOptions(DashboardJson.Default.Options) { WriteIndented = true }).ReplaceLineEndings("\n") + "\n"));

    public static byte[] Bytes => bytes.Value;

    private static JsonObject Describe()
    {
        var schemas = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        var paths = new JsonObject();
        foreach (var path in AllRoutes.Table.GroupBy(route => route.Path).OrderBy(path => path.Key, StringComparer.Ordinal))
        {
            var methods = new JsonObject();
            foreach (var route in path)
                methods[route.Method.ToLowerInvariant()] = Operation(route, schemas);
            paths[$"/{path.Key}"] = methods;
        }

        var problem = Reference(typeof(ProblemAnswer), schemas);
        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject { ["title"] = "Millrace dashboard", ["version"] = "1", ["description"] = "Jobs, queues, schedules and workers: to look at, and to change. Ids are strings, times are UTC, durations are milliseconds." },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "." }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["parameters"] = new JsonObject { [FirstAnswers.Header] = IdempotencyKey() },
                ["responses"] = new JsonObject
                {
                    ["Problem"] = new JsonObject { ["description"] = "Why not. The code is stable.", ["content"] = new JsonObject { ["application/problem+json"] = new JsonObject { ["schema"] = problem } } },
                },
                ["schemas"] = new JsonObject(schemas.Select(schema => KeyValuePair.Create(schema.Key, (JsonNode?)schema.Value))),
            },
        };
    }

    private static JsonObject Operation(Route route, SortedDictionary<string, JsonNode> schemas)
    {
        var operation = new JsonObject
        {
            ["operationId"] = string.Concat(new[] { route.Method.ToLowerInvariant() }.Concat(route.Path.Split('/', '-', '.').Select(part => part.Trim('{', '}')).Select(part => char.ToUpperInvariant(part[0]) + part[1..]))),
            ["summary"] = route.Says,
            ["x-permission"] = route.Needs.ToWord(),
        };
        var parameters = route.Takes.Select(parameter => Parameter(route, parameter)).ToList();
        if (route is { IsChange: true, HasEffect: true })
            parameters.Add(new JsonObject { ["$ref"] = $"#/components/parameters/{FirstAnswers.Header}" });
        if (parameters.Count > 0)
            operation["parameters"] = new JsonArray([.. parameters]);
        if (route.Body is { } body)
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content("application/json", Reference(body, schemas)) };
        var success = new JsonObject { ["description"] = "Done." };
        if (route.Answer is { } answer)
            success["content"] = Content("application/json", Reference(answer, schemas));
        else if (route.Path == "events")
            success["content"] = Content("text/event-stream", new JsonObject { ["type"] = "string" });
        else if (route.Path == "jobs/export")
            success["content"] = Content("text/csv", new JsonObject { ["type"] = "string" });
        else
            success["content"] = Content("application/json", new JsonObject { ["type"] = "object" });
        operation["responses"] = new JsonObject
        {
            [route.Path == "operations" ? "202" : "200"] = success,
            ["default"] = new JsonObject { ["$ref"] = "#/components/responses/Problem" },
        };
        return operation;
    }

    private static JsonObject Content(string type, JsonNode schema) => new() { [type] = new JsonObject { ["schema"] = schema } };

    private static JsonObject Parameter(Route route, Parameter parameter)
    {
        var isInPath = route.Path.Contains($"{{{parameter.Name}}}", StringComparison.Ordinal);
        return new JsonObject
        {
            ["name"] = parameter.Name,
            ["in"] = isInPath ? "path" : "query",
            ["required"] = isInPath,
            ["description"] = parameter.Says,
            ["schema"] = parameter switch
            {
                // A number of 64 bits is text for who cannot hold it.
                NumberParameter { Most: long.MaxValue } => new JsonObject { ["type"] = "string", ["pattern"] = "^[0-9]{1,19}$" },
                NumberParameter number => new JsonObject { ["type"] = "integer", ["minimum"] = number.Least, ["maximum"] = number.Most },
                TextParameter text => new JsonObject { ["type"] = "string", ["maxLength"] = text.Longest },
                TimeParameter => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
                WordParameter word => new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. word.Words.Select(one => (JsonNode)one)]) },
                _ => new JsonObject { ["type"] = "string", ["format"] = "uuid" },
            },
        };
    }

    private static JsonObject IdempotencyKey() => new()
    {
        ["name"] = FirstAnswers.Header,
        ["in"] = "header",
        ["required"] = false,
        ["description"] = "A new one for each change. The same request sent again with it within 10 minutes, to the same server, gets the first answer and changes nothing (409 idempotency_key_busy while there is none yet); another request with it is refused (422 idempotency_key_reused). What was refused frees its key.",
        ["schema"] = new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = FirstAnswers.LongestKey, ["pattern"] = $"^[!-~]{{1,{FirstAnswers.LongestKey}}}$" },
    };

    private static JsonObject Reference(Type type, SortedDictionary<string, JsonNode> schemas)
    {
        if (!schemas.ContainsKey(type.Name) && DashboardJson.Default.GetTypeInfo(type) is { } info)
        {
            // Held before it is made: a type may lead to itself.
            schemas[type.Name] = new JsonObject();
            schemas[type.Name] = info.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = (context, schema) => Transform(context, schema, schemas) });
        }

        return new JsonObject { ["$ref"] = $"#/components/schemas/{type.Name}" };
    }

    private static JsonNode Transform(JsonSchemaExporterContext context, JsonNode schema, SortedDictionary<string, JsonNode> schemas)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        // Types with converters of their own, which the exporter cannot look into.
        if (type == typeof(Shown))
            return new JsonObject { ["type"] = "string" };
        if (type == typeof(DateTimeOffset))
            return new JsonObject { ["type"] = "string", ["format"] = "date-time" };
        // Records have names, and stand once: the exporter would write them out wherever they come.
        return context.Path.Length > 0 && type.Namespace == typeof(Shown).Namespace ? Reference(type, schemas) : schema;
    }
}
