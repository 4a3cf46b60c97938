using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Dashboard.Answering;
using Millrace.Dashboard.Changing;
using Millrace.Dashboard.Guarding;
using Millrace.Dashboard.Serving;
using Millrace.Dashboard.Showing;
using Millrace.Dashboard.Watching;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Dashboard;

/// <summary>Everything that belongs to one <c>MapMillraceDashboard</c>, put together by hand, so that one page shows what there is and who knows whom.</summary>
internal sealed class Panel : IAddition
{
    private readonly IServiceProvider services;
    private readonly Func<IEnumerable<Endpoint>> ownEndpoints;
    private readonly bool isComplete;

    /// <param name="instance">What is shown.</param>
    /// <param name="options">How, and to whom.</param>
    /// <param name="mount">Where, as it was given.</param>
    /// <param name="services">Of the application.</param>
    /// <param name="ownEndpoints">The routes, as far as they are known before the application has started.</param>
    /// <param name="isComplete">Whether that is all that is known of them: what stands on a group around them is not.</param>
    public Panel(MillraceInstance instance, DashboardOptions options, string mount, IServiceProvider services, Func<IEnumerable<Endpoint>> ownEndpoints, bool isComplete)
    {
        this.services = services;
        this.ownEndpoints = ownEndpoints;
        this.isComplete = isComplete;
        Instance = instance;
        Options = options;
        Mount = mount;
        Environment = services.GetRequiredService<IHostEnvironment>();
        Log = (services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger(Dashboard.Log.Category);
        CanSubmit = options.CanSubmit ?? Environment.IsDevelopment();
        Developer = Environment.IsDevelopment() ? new DeveloperLogin(Time, $"{Environment.ApplicationName}\n{Environment.ContentRootPath}", mount, options.Console) : null;
        Gate = new Gate(options, Developer, CanSubmit);
        Outage = new Outage(Time);
        Answers = new AnswerBook(Time, Outage);
        FirstAnswers = new FirstAnswers(Time);
        Types = new TypeBook(instance);
        Redaction = new Redaction(Types, options.Redact);
        Jobs = new JobShow(Redaction, options.TraceLink);
        General = new SystemShow(Redaction);
        Lifetime = services.GetRequiredService<IHostApplicationLifetime>();
        Slowly = new Slowly(instance);
        Moments = new Moments(instance);
        Broadcast = new Broadcast(this);
        Previews = new Previews(Time, Previews.SealOf(services, instance.Name, mount));
        BulkRuns = new BulkRuns(this);
        Export = new Export(this);
        Pages = new Pages(this);
        Responder = new Responder(this);
        Lifetime.ApplicationStarted.Register(SayHello);
    }

    public MillraceInstance Instance { get; }

    public DashboardOptions Options { get; }

    public string Mount { get; }

    public IHostEnvironment Environment { get; }

    public IHostApplicationLifetime Lifetime { get; }

    public ILogger Log { get; }

    public TimeProvider Time => Instance.Time;

    public IJobStore Store => Instance.Store;

    public bool CanSubmit { get; }

    /// <summary>Null outside Development.</summary>
    public DeveloperLogin? Developer { get; }

    public Gate Gate { get; }

    public Outage Outage { get; }

    public AnswerBook Answers { get; }

    public FirstAnswers FirstAnswers { get; }

    public TypeBook Types { get; }

    public Redaction Redaction { get; }

    public JobShow Jobs { get; }

    public SystemShow General { get; }

    public Slowly Slowly { get; }

    public Moments Moments { get; }

    public Broadcast Broadcast { get; }

    public Previews Previews { get; }

    public BulkRuns BulkRuns { get; }

    public Export Export { get; }

    public Pages Pages { get; }

    public Responder Responder { get; }

    /// <summary>Somebody changed something here: he, and everybody who looks, is to see it at once.</summary>
    public void Changed()
    {
        Forget();
        Broadcast.Hurry();
    }

    /// <summary>Whoever asks next is told what is true now.</summary>
    public void Forget()
    {
        Moments.Forget();
        Answers.Forget();
    }

    /// <summary>Something has changed somewhere.</summary>
    /// <returns>After how long nobody is told any more what was true before it.</returns>
    public TimeSpan ForgetCheap()
    {
        var answers = Answers.ForgetCheap();
        return answers > Moments.Left ? answers : Moments.Left;
    }

    public async Task<IReadOnlyList<string>> FindFaultsAsync(bool hasStarted)
    {
        // Before the start the routes are built once by us. What stands on a group around them, or is mapped only while the web server starts, is seen when everything is there.
        if (!hasStarted && !isComplete)
            return [];
        var endpoints = hasStarted ? StartedEndpoints() : ownEndpoints();
        return await StartCheck.FindFaultsAsync(Mount, [.. endpoints], Options, Developer is not null, services).ConfigureAwait(false);
    }

    public Task StopAsync() => BulkRuns.StopAsync();

    private void SayHello()
    {
        if (Options.AnonymousReason is { } reason && !Options.IsReadOnly)
            Dashboard.Log.Open(Log, Instance.Name, Mount, reason);
        if (Developer is not null && StartedEndpoints().Any(endpoint => Decisions.Of(endpoint, Options, hasDeveloperLogin: true) == Decision.Developer))
            Developer.WriteLink(OwnAddress.Of(services, Mount));
    }

    private IEnumerable<Endpoint> StartedEndpoints() =>
        (services.GetService<EndpointDataSource>()?.Endpoints ?? []).Where(endpoint => endpoint.Metadata.GetMetadata<Panel>() == this);
}
