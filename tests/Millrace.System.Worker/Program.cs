// A process that runs jobs and says on standard output what it does. It ends when its standard input ends, or on SIGTERM.
//   Millrace.System.Worker postgres|sqlite CONNECTION [--concurrency N] [--expiry SECONDS] [--grace SECONDS] [--workers N] [--recycle N] [--timeout-grace SECONDS] [--isolated 1] [--broken 1] [--version N] [--queues NAME,…] [--quiet 1]
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace;
using Millrace.System;

var concurrency = 10;
var expiry = 30.0;
var grace = 5.0;
var workers = 0;
var recycle = 0;
var timeoutGrace = 30.0;
var isIsolated = false;
var isBroken = false;
var isQuiet = false;
var version = 0;
var queues = "";
for (var i = 2; i < args.Length; i += 2)
{
    switch (args[i])
    {
        case "--concurrency": concurrency = (int)Number(args[i + 1]); break;
        case "--expiry": expiry = Number(args[i + 1]); break;
        case "--grace": grace = Number(args[i + 1]); break;
        case "--workers": workers = (int)Number(args[i + 1]); break;
        case "--recycle": recycle = (int)Number(args[i + 1]); break;
        case "--timeout-grace": timeoutGrace = Number(args[i + 1]); break;
        case "--isolated": isIsolated = true; break;
        case "--quiet": isQuiet = true; break;
        case "--broken": isBroken = true; break;
        case "--version": version = (int)Number(args[i + 1]); break;
        case "--queues": queues = args[i + 1]; break;
        default: throw new ArgumentException($"Unknown argument {args[i]}.");
    }
}

if (isBroken && MillraceProcess.IsChild)
    throw new FileNotFoundException("The file settings.json is missing.");

var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Information);
// Standard output is for the events.
builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(grace + 20));
builder.Services.AddHealthChecks().AddMillrace();
builder.Services.AddMillrace(m =>
{
    _ = args[0] == "postgres" ? m.UsePostgres(args[1]) : m.UseSqlite(args[1]);
    m.AddSystemJobs(isQuiet ? null : Console.WriteLine)
        .AddBadJobs()
        .AddJobsOf(version)
        .Configure(options => options.MaxAttempts = 100)
        .AddIsolatedJobs(isIsolated)
        .AddWorkers(options =>
        {
            options.Concurrency = concurrency;
            options.NodeExpiry = TimeSpan.FromSeconds(expiry);
            options.ShutdownGrace = TimeSpan.FromSeconds(grace);
            options.Processes = workers;
            options.RecycleAfterJobs = recycle;
            options.TimeoutGrace = TimeSpan.FromSeconds(timeoutGrace);
            foreach (var queue in queues.Split(',', StringSplitOptions.RemoveEmptyEntries))
                options.Queues[queue] = new QueueOptions();
        });
});

using var host = builder.Build();
await host.StartAsync();
Console.WriteLine("ready");
if (workers > 0)
    _ = TellChildrenAsync(host.Services.GetRequiredService<IWorkerProcesses>());
var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
_ = Task.Run(async () =>
{
    while (await Console.In.ReadLineAsync() is { } order)
    {
        if (order == "restart")
            Console.WriteLine($"restarted {await host.Services.GetRequiredService<IWorkerProcesses>().RestartAsync()}");
        else if (order == "health")
            Console.WriteLine($"health {(await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries.Values.Select(entry => $"{entry.Status}: {entry.Description}").Single()}");
    }
    lifetime.StopApplication();
});
await host.WaitForShutdownAsync();
Console.WriteLine("stopped");

static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

// Whose number is new is told.
static async Task TellChildrenAsync(IWorkerProcesses processes)
{
    var told = new Dictionary<string, int>();
    while (true)
    {
        foreach (var child in processes.List().Where(child => child.ProcessId > 0 && told.GetValueOrDefault(child.Name) != child.ProcessId))
        {
            told[child.Name] = child.ProcessId;
            Console.WriteLine($"child {child.Name} {child.ProcessId}");
        }
        await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
    }
}
