using Microsoft.Extensions.DependencyInjection;
using Millrace.Storage;

namespace Millrace;

/// <summary>Sets up one instance of Millrace. Given to the callback of <c>AddMillrace</c>.</summary>
public sealed class MillraceBuilder
{
    internal MillraceBuilder(IServiceCollection services, string name)
    {
        Services = services;
        Name = name;
    }

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The name of this instance, which is also the key of its services; <c>"millrace"</c> unless one was given.</summary>
    public string Name { get; }

    internal Func<IServiceProvider, StoreClock, IJobStore>? CreateStore { get; private set; }

    /// <summary>Chooses the database. Called by <c>UseSqlite</c> and <c>UsePostgres</c>; the last call wins.</summary>
    /// <param name="create">Makes the store, once, when it is first needed. It must not connect yet.</param>
    public MillraceBuilder UseStore(Func<IServiceProvider, StoreClock, IJobStore> create)
    {
        ArgumentNullException.ThrowIfNull(create);
        CreateStore = create;
        return this;
    }
}
