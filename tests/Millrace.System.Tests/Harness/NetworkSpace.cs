using System.Diagnostics;
using System.Net;

namespace Millrace.System.Tests;

/// <summary>A network of its own for one process, with a cable to ours that can be unplugged: nothing passes then, and neither side is told (Linux, as root).</summary>
public sealed class NetworkSpace : IAsyncDisposable
{
    private readonly string cable;

    private NetworkSpace(string name, IPAddress here)
    {
        Name = name;
        cable = name + "h";
        Here = here;
    }

    public string Name { get; }

    /// <summary>Where the process inside finds us.</summary>
    public IPAddress Here { get; }

    /// <returns>Null, and why, where that is not allowed.</returns>
    public static async Task<(NetworkSpace? Space, string Reason)> TryCreateAsync()
    {
        // One of the addresses that are kept for measurements, and not used in networks.
        var (name, net) = ($"mr{Random.Shared.Next(0x1000000):x}", $"198.18.{Random.Shared.Next(256)}.");
        var space = new NetworkSpace(name, IPAddress.Parse(net + "1"));
        try
        {
            await RunAsync($"netns add {name}");
            await RunAsync($"link add {space.cable} type veth peer name {name}p netns {name}");
            await RunAsync($"addr add {net}1/30 dev {space.cable}");
            await RunAsync($"link set {space.cable} up");
            await RunAsync($"-n {name} addr add {net}2/30 dev {name}p");
            await RunAsync($"-n {name} link set {name}p up");
            await RunAsync($"-n {name} link set lo up");
            return (space, "");
        }
        catch (Exception exception) when (exception is InvalidOperationException or global::System.ComponentModel.Win32Exception)
        {
            await space.DisposeAsync();
            return (null, exception.Message);
        }
    }

    public Task UnplugAsync() => RunAsync($"link set {cable} down");

    public Task PlugAsync() => RunAsync($"link set {cable} up");

    public async ValueTask DisposeAsync()
    {
        // The cable goes with its other end.
        foreach (var command in new[] { $"link del {cable}", $"netns del {Name}" })
        {
            try
            {
                await RunAsync(command);
            }
            catch (Exception exception) when (exception is InvalidOperationException or global::System.ComponentModel.Win32Exception)
            {
                // It was not made.
            }
        }
    }

    private static async Task RunAsync(string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(CancellationToken.None);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"\"ip {arguments}\" ended with code {process.ExitCode}: {said.Trim()}");
    }
}
