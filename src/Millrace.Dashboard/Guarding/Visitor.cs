using System.Security.Claims;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Working;

namespace Millrace.Dashboard.Guarding;

/// <summary>Who is there, and what he may do.</summary>
internal sealed record Visitor(string Name, Permission May)
{
    public bool MayDo(Permission permission) => (May & permission) == permission;

    /// <summary>For the audit.</summary>
    public Author Author(string? reason) => new(Name, "dashboard", string.IsNullOrWhiteSpace(reason) ? null : Sanitiser.Text(reason, 1000));

    /// <summary>What a principal is called, so that it can be stored.</summary>
    public static string NameOf(ClaimsPrincipal user)
    {
        var name = user.Identity is { IsAuthenticated: true } identity
            ? identity.Name ?? user.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? user.FindFirst("sub")?.Value ?? "authenticated"
            : "anonymous";
        return Sanitiser.Text(name, NameValidator.MaxSizeInBytes) is { Length: > 0 } clean ? clean : "authenticated";
    }
}
