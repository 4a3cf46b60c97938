using System.Text.RegularExpressions;
using Millrace.Dashboard.Serving;

namespace Millrace.Dashboard.Tests.Browser;

/// <summary>What a browser has to fetch, as it is stored in the assembly.</summary>
public sealed class WeightTests
{
    private const int Kilobyte = 1024;

    [Fact]
    public void The_first_load_is_at_most_90_KB_and_everything_250_KB()
    {
        Assert.SkipUnless(Application.IsBuilt, "The dashboard was built without its web application: Node was missing.");
        var assembly = typeof(WebFiles).Assembly;
        var sizes = assembly.GetManifestResourceNames().Where(name => name.StartsWith("web/", StringComparison.Ordinal)).ToDictionary(name => name, name => assembly.GetManifestResourceStream(name)!.Length);

        // What the shell names is fetched at once, the rest when it is needed.
        var first = sizes.Where(file => file.Key == "web/index.html" || WebFiles.Shell.Contains(Path.GetFileNameWithoutExtension(file.Key), StringComparison.Ordinal)).Sum(file => file.Value);

        first.ShouldBeInRange(10 * Kilobyte, 90 * Kilobyte);
        sizes.Values.Sum().ShouldBeInRange(first, 250 * Kilobyte);
    }

    [Fact]
    public void Only_compressed_files_with_a_hash_in_their_name_are_stored()
    {
        Assert.SkipUnless(Application.IsBuilt, "The dashboard was built without its web application: Node was missing.");
        foreach (var name in typeof(WebFiles).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("web/assets/", StringComparison.Ordinal)))
            Regex.IsMatch(name, @"-[\w-]{8}\.(js|css|svg)\.br$").ShouldBeTrue(name);
    }
}
