using System.Reflection;

namespace Millrace.Testing;

internal static class TypeName
{
    /// <summary>The stored name of a data type.</summary>
    public static string Of<TData>() => typeof(TData).GetCustomAttribute<JobAttribute>()?.Name
        ?? throw new ArgumentException($"The data type {typeof(TData)} has no stored name. Mark it with [Job(\"…\")].");
}
