using Millrace.Storage;

namespace Millrace.Inspecting;

/// <summary>Says why a job is where it is. Pure.</summary>
internal static class Explainer
{
    public static Explanation Explain(JobFacts facts) => throw new NotImplementedException();
}
