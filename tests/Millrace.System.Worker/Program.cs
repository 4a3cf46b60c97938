// A process that runs jobs and says on standard output what it does. It ends when its standard input ends, or on SIGTERM.
//   Millrace.System.Worker postgres|sqlite CONNECTION [--concurrency N] [--expiry SECONDS] [--grace SECONDS] [--queues NAME,…]
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace;
using Millrace.System;

var concurrency = 10;
var expiry = 30.0;
var grace = 5.0;
var queues = "";
for (var i = 2; i < args.Length; i += 2)
{
    switch (args[i])
    {
        case "--concurrency": concurrency = (int)Number(args[i + 1]); break;
        case "--expiry": expiry = Number(args[i + 1]); break;
        case "--grace": grace = Number(args[i + 1]); break;
        case "--queues": queues = args[i + 1]; break;
        default: throw new ArgumentException($"Unknown argument {args[i]}.");
    }
}

var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Information);
// Standard output is for the events.
builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(grace + 20));
builder.Services.AddMillrace(m =>
{
    _ = args[0] == "postgres" ? m.UsePostgres(args[1]) : m.UseSqlite(args[1]);
    m.AddSystemJobs(Console.WriteLine)
        .Configure(options => options.MaxAttempts = 100)
        .AddWorkers(workers =>
        {
            workers.Concurrency = concurrency;
            workers.NodeExpiry = TimeSpan.FromSeconds(expiry);
            workers.ShutdownGrace = TimeSpan.FromSeconds(grace);
            foreach (var queue in queues.Split(',', StringSplitOptions.RemoveEmptyEntries))
                workers.Queues[queue] = new QueueOptions();
        });
});

using var host = builder.Build();
await host.StartAsync();
Console.WriteLine("ready");
var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
_ = Task.Run(async () =>
{
    while (await Console.In.ReadLineAsync() is not null)
    {
    }
    lifetime.StopApplication();
});
await host.WaitForShutdownAsync();
Console.WriteLine("stopped");

static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
