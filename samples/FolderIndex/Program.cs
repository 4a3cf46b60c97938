using FolderIndex;
using FolderIndex.Jobs;
using Millrace;

try
{
    var demo = DemoOptions.Read(args);
    if (demo.WantsHelp)
    {
        Console.WriteLine(DemoOptions.Help);
        return 0;
    }

    await using var app = Build(demo);
    await app.Services.GetRequiredService<IndexDatabase>().CreateAsync();
    await app.StartAsync();
    await app.Services.GetRequiredService<IndexDatabase>().SaveInboxAsync(app.Urls.First());
    // Not persistent: it lives as long as this process, and is submitted again at the next start.
    await app.Services.GetRequiredService<IJobClient>().SubmitAsync(new LogProgress(demo.Folder), LogProgress.EveryTenSeconds);
    var exitCode = demo.Once ? await app.Services.GetRequiredService<OneRun>().RunAsync() : await KeepRunningAsync(app, demo);
    await app.StopAsync();
    return exitCode;
}
catch (Exception exception) when (StartFault.Explain(exception) is { } reason)
{
    Console.Error.WriteLine($"demo: {reason}");
    return 2;
}

static WebApplication Build(DemoOptions demo)
{
    // Development, wherever it runs: the dashboard then needs no users, and is for this machine alone.
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Development });
    builder.WebHost.UseUrls(demo.Url);
    builder.Logging.WriteFor(demo);

    builder.Services.AddMillrace(m => m
        .UseDatabase(demo)
        .Configure(options => options.Retry = RetryPolicy.Exponential(first: TimeSpan.FromSeconds(1), longest: TimeSpan.FromMinutes(1)))
        .AddJob<ScanFolderJob>()
        .AddJob<IndexFileJob>()
        .AddJob<FinishScanJob>()
        .AddJob<PublishReportJob>(retry: RetryPolicy.Every(TimeSpan.FromMilliseconds(500)))
        .AddJob<LogProgressJob>()
        .AddWorkers(workers =>
        {
            workers.Concurrency = demo.Concurrency;
            workers.Processes = demo.Workers;
            // Short, so that a run that was killed is continued within seconds.
            workers.NodeExpiry = TimeSpan.FromSeconds(3);
        }));

    builder.Services.AddSingleton(demo);
    builder.Services.AddSingleton<IndexDatabase>();
    builder.Services.AddSingleton<Scans>();
    builder.Services.AddSingleton<ReportInbox>();
    builder.Services.AddSingleton<HttpClient>();
    builder.Services.AddSingleton<OneRun>();
    builder.Services.AddHealthChecks().AddMillrace();

    var app = builder.Build();
    app.MapGet("/", Pages.OverviewAsync);
    app.MapPost("/rescan", Pages.RescanAsync);
    app.MapPost("/reports/{scan:long}", (long scan, Report report, ReportInbox inbox) => inbox.Receive(scan, report));
    app.MapHealthChecks("/health");
    if (!demo.Once)
        app.MapMillraceDashboard("/jobs", options => options.Title = "Folder index");
    // Nobody signs in here: everybody is the one user whose jobs all of them are.
    app.MapMillraceEvents("/events", _ => Scans.User);
    return app;
}

static async Task<int> KeepRunningAsync(WebApplication app, DemoOptions demo)
{
    await app.Services.GetRequiredService<Scans>().SubmitAsync(demo.Folder);
    Console.WriteLine($"Indexing {demo.Folder} into {demo.DatabaseName}. See {demo.Url}, its jobs by the link above, {demo.Url}/health, or POST {demo.Url}/rescan. Ctrl+C stops.");
    await app.WaitForShutdownAsync();
    return 0;
}
