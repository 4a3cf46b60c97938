using System.Reflection;
using System.Runtime.ExceptionServices;
using Millrace.Storage;

namespace Millrace.Dashboard.Tests.Site;

/// <summary>The real store, but for reading and changing: for answers that a database gives seldom, or that must hold a certain text everywhere.</summary>
public class FakeStore : DispatchProxy
{
    private IJobStore real = null!;
    private IJobInspection? inspection;
    private IJobOperations? operations;

    internal static void Put(MillraceBuilder builder, IJobInspection? inspection, IJobOperations? operations)
    {
        var create = builder.CreateStore!;
        builder.UseStore((services, clock) =>
        {
            var store = Create<IJobStore, FakeStore>();
            var fake = (FakeStore)(object)store;
            (fake.real, fake.inspection, fake.operations) = (create(services, clock), inspection, operations);
            return store;
        });
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == $"get_{nameof(IJobStore.Inspection)}" && inspection is not null)
            return inspection;
        if (targetMethod.Name == $"get_{nameof(IJobStore.Operations)}" && operations is not null)
            return operations;
        try
        {
            return targetMethod.Invoke(real, args);
        }
        catch (TargetInvocationException exception) when (exception.InnerException is { } inner)
        {
            ExceptionDispatchInfo.Capture(inner).Throw();
            throw;
        }
    }
}
