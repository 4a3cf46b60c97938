namespace Millrace.Dashboard.Routes;

/// <summary>Tells who could go on with something.</summary>
internal static class Wake
{
    public static Task QueueAsync(Panel panel, string queue)
    {
        panel.Instance.WakeUps.Ready(queue);
        return panel.Instance.RingQuietlyAsync([queue]);
    }
}
