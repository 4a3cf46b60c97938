using Millrace.Dashboard.Answering;

namespace Millrace.Dashboard.Routes;

/// <summary>The API, route by route: what is mapped, described and tested.</summary>
internal static class AllRoutes
{
    public const string Base = "api/v1";

    public static IReadOnlyList<Route> Table { get; } =
    [
        .. SystemRoutes.All, .. StatRoutes.All, .. JobRoutes.All, .. FilterRoutes.All, .. ChangeRoutes.All, .. BulkRoutes.All, .. QueueRoutes.All, .. ScheduleRoutes.All,
    ];
}
