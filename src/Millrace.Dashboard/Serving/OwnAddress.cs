using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Millrace.Dashboard.Serving;

/// <summary>Where a person on this machine finds the dashboard, as far as the server knows.</summary>
internal static class OwnAddress
{
    public static string Of(IServiceProvider services, string mount)
    {
        var addresses = services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        return Of(addresses, mount);
    }

    /// <summary>Pure. Of several addresses one without certificate trouble is taken first.</summary>
    public static string Of(ICollection<string> addresses, string mount)
    {
        var path = $"/{mount.Trim('/')}/".Replace("//", "/", StringComparison.Ordinal);
        foreach (var address in addresses.OrderBy(address => !address.StartsWith("http://", StringComparison.OrdinalIgnoreCase)))
        {
            // Kestrel's words for "any address".
            var local = address.Replace("//+", "//localhost", StringComparison.Ordinal).Replace("//*", "//localhost", StringComparison.Ordinal)
                .Replace("//0.0.0.0", "//localhost", StringComparison.Ordinal).Replace("//[::]", "//localhost", StringComparison.Ordinal);
            if (Uri.TryCreate(local, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
                return $"{uri.GetLeftPart(UriPartial.Authority)}{path}";
        }

        return path;
    }
}
