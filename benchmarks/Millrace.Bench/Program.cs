using Millrace;
using Millrace.Bench;

// A second process of the same program: it runs jobs until its standard input ends.
if (args is ["--worker", var connection])
{
    using var host = Engine.Build(millrace => millrace.UsePostgres(connection), concurrency: 10);
    await host.StartAsync();
    Console.Out.WriteLine("ready");
    Console.Out.Flush();
    await Console.In.ReadToEndAsync();
    await host.StopAsync();
    return 0;
}

var postgres = Environment.GetEnvironmentVariable("MILLRACE_TEST_POSTGRES");
if (postgres is null)
{
    Console.Error.WriteLine("MILLRACE_TEST_POSTGRES is not set. Start this through ./bench, which makes a throw-away PostgreSQL.");
    return 2;
}
var isQuick = args.Contains("--quick");
var rounds = isQuick ? 3 : 5;
var jobs = isQuick ? 100_000 : 200_000;
var only = args.SkipWhile(argument => argument != "--only").Skip(1).FirstOrDefault();

Console.WriteLine($"{Environment.ProcessorCount} processors, .NET {Environment.Version}; medians of {rounds} rounds");
if (only is null or "drain")
    await PostgresDrain.RunAsync(postgres, jobs, rounds);
if (only is null or "sqlite")
    await SqliteDrain.RunAsync(jobs / 2, rounds);
if (only is null or "idle")
    await PostgresIdle.RunAsync(postgres);
if (only is null or "latency")
    await PostgresLatency.RunAsync(postgres, isQuick ? 200 : 1000);
return 0;
