namespace Millrace.Dashboard.Guarding;

/// <summary>What a visitor may do. Each route needs one of them.</summary>
[Flags]
internal enum Permission
{
    None = 0,
    View = 1,
    Operate = 2,
    Administer = 4,
    Submit = 8,
    All = View | Operate | Administer | Submit,
}

/// <summary>The names of the application's policies; null for a permission that has none of its own.</summary>
internal sealed record PolicyNames(string? View, string? Operate, string? Administer, string? Submit)
{
    public IEnumerable<(Permission Permission, string Name)> Named()
    {
        if (View is not null)
            yield return (Permission.View, View);
        if (Operate is not null)
            yield return (Permission.Operate, Operate);
        if (Administer is not null)
            yield return (Permission.Administer, Administer);
        if (Submit is not null)
            yield return (Permission.Submit, Submit);
    }
}

internal static class Permissions
{
    /// <summary>The words of the API.</summary>
    public static string ToWord(this Permission permission) => permission switch
    {
        Permission.View => "view",
        Permission.Operate => "operate",
        Permission.Administer => "administer",
        Permission.Submit => "submit",
        _ => throw new ArgumentOutOfRangeException(nameof(permission), permission, "Not one permission."),
    };

    public static IEnumerable<string> ToWords(this Permission permissions) =>
        new[] { Permission.View, Permission.Operate, Permission.Administer, Permission.Submit }.Where(one => permissions.HasFlag(one)).Select(ToWord);

    /// <summary>What follows from the policies that were met.</summary>
    /// <param name="met">The permissions whose own policy is met.</param>
    /// <param name="submitHasPolicy">Whether submitting has a policy of its own.</param>
    public static Permission Grow(Permission met, bool submitHasPolicy)
    {
        if (met.HasFlag(Permission.Administer))
            met |= Permission.Operate | (submitHasPolicy ? Permission.None : Permission.Submit);
        if ((met & (Permission.Operate | Permission.Submit)) != 0)
            met |= Permission.View;
        return met;
    }

    /// <summary>What is left when the dashboard is read-only, or submitting by hand is off.</summary>
    public static Permission Narrow(Permission granted, bool isReadOnly, bool canSubmit)
    {
        if (isReadOnly)
            return granted & Permission.View;
        return canSubmit ? granted : granted & ~Permission.Submit;
    }
}
