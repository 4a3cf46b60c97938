using Microsoft.AspNetCore.Http;

namespace Millrace.Dashboard.Guarding;

/// <summary>The headers of every answer. There are none of CORS: no other page may read anything here.</summary>
internal static class SecurityHeaders
{
    /// <summary>
    /// Nothing inline, nothing from elsewhere, in nobody's frame. <c>base-uri</c> is for the shell page, which says where it is mounted. Trusted Types: the browser itself takes no text as markup, as a script or as a
    /// script's address, and as there is no policy, nothing can make one that it would take.
    /// </summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

    public static void Set(HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    /// <summary>For a file whose name changes with its content.</summary>
    public static void KeepForEver(HttpResponse response) => response.Headers.CacheControl = "private, max-age=31536000, immutable";
}
