using Millrace.Dashboard.Serving;

namespace Millrace.Dashboard.Tests.Browser;

/// <summary>The web application that was built, and what stands beside it in the repository.</summary>
internal static class Application
{
    /// <summary>False where Node was missing at the build.</summary>
    public static bool IsBuilt => WebFiles.Shell.Contains("id=\"app\"", StringComparison.Ordinal);

    /// <summary>The checker of accessibility that the web application's packages bring.</summary>
    public static string Axe => File.ReadAllText(Path.Combine(Root, "src", "Millrace.Dashboard", "web", "node_modules", "axe-core", "axe.min.js"));

    /// <summary>Where pictures are put, to be looked at.</summary>
    public static string Screenshots => Directory.CreateDirectory(Path.Combine(Root, "artifacts", "screenshots")).FullName;

    private static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Millrace.slnx")))
                folder = folder.Parent;
            return folder?.FullName ?? throw new InvalidOperationException($"Millrace.slnx is in no folder above {AppContext.BaseDirectory}.");
        }
    }
}
