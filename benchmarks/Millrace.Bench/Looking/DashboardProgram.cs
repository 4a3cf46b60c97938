using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Bench.Contenders;

namespace Millrace.Bench.Looking;

/// <summary>An application with the dashboard in it and nothing else. Out: "ready ADDRESS". In: the end of the stream to stop.</summary>
internal static class DashboardProgram
{
    public static async Task<int> RunAsync(string contender, string database)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddMillrace(millrace =>
        {
            if (contender == All.Sqlite.Name)
                millrace.UseSqlite(database);
            else
                millrace.UsePostgres(database);
        });
        await using var app = builder.Build();
        app.Use(TellTimeAsync);
        app.MapMillraceDashboard("/jobs", options => options.AllowAnonymous("A benchmark on this machine"));
        await app.StartAsync();
        Console.Out.WriteLine($"ready {app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.First()}/jobs/api/v1/");
        Console.Out.Flush();
        await Console.In.ReadToEndAsync();
        await app.StopAsync();
        return 0;
    }

    // From the first line of the request to the first byte of the answer, which is whole by then: answers are made in memory. Without the browser's side and the network.
    private static Task TellTimeAsync(Microsoft.AspNetCore.Http.HttpContext context, Microsoft.AspNetCore.Http.RequestDelegate next)
    {
        var began = Stopwatch.GetTimestamp();
        context.Response.OnStarting(() =>
        {
            context.Response.Headers["Server-Timing"] = string.Create(CultureInfo.InvariantCulture, $"all;dur={Stopwatch.GetElapsedTime(began).TotalMilliseconds:0.000}");
            return Task.CompletedTask;
        });
        return next(context);
    }
}
