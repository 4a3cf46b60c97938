using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Dashboard.Routes;
using Millrace.Dashboard.Showing;
using Route = Millrace.Dashboard.Answering.Route;

namespace Millrace.Dashboard.Tests.Site;

/// <summary>A request that fits each route.</summary>
internal static class Requests
{
    public static IReadOnlyList<RouteEndpoint> Endpoints(TestSite site) =>
        [.. site.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Where(endpoint => endpoint.Metadata.GetMetadata<Panel>() is not null)];

    /// <summary>The path of a route, with names and ids that a fake database has.</summary>
    public static string PathOf(Route route, string mount = "/jobs") => $"{mount}/{AllRoutes.Base}/{Fill(route.Path)}";

    public static string PathOf(RouteEndpoint endpoint) => Fill(endpoint.RoutePattern.RawText!);

    public static string BodyOf(Route route) => route.Body switch
    {
        { } body when body == typeof(RerunRequest) => """{"data":{}}""",
        { } body when body == typeof(SubmitRequest) => """{"type":"t","data":{}}""",
        { } body when body == typeof(PreviewRequest) => """{"action":"retry","q":""}""",
        { } body when body == typeof(StartRequest) => """{"token":"none"}""",
        { } body when body == typeof(ChangeRequest) => """{"priority":3}""",
        _ => "{}",
    };

    public static string Text(this JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static string Fill(string pattern) => pattern
        .Replace("workers/{id}", $"workers/{FakeInspection.Node}")
        .Replace("{id}", "5")
        .Replace("types/{name}", "types/t")
        .Replace("{name}", "x")
        .Replace("{**path}", "some/path")
        .Replace("{**file}", "app.js");
}
