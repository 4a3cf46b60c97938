using Millrace.Bench;
using Millrace.Bench.Looking;
using Millrace.Bench.Workers;

// A worker process is the same program. The one that measures starts it, tells it when to begin, and ends it by closing its standard input.
if (args is ["--worker", var contender, var database, var mode])
    return await WorkerProgram.RunAsync(contender, database, Enum.Parse<WorkerMode>(mode));

if (args is ["--dashboard", var shown, var looked])
    return await DashboardProgram.RunAsync(shown, looked);

if (args.Contains("--help"))
{
    Console.WriteLine(Options.Help);
    return 0;
}

Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException fault)
{
    Console.Error.WriteLine(fault.Message);
    Console.Error.WriteLine(Options.Help);
    return 2;
}

if (Environment.GetEnvironmentVariable("MILLRACE_TEST_POSTGRES") is not { } server)
{
    Console.Error.WriteLine("MILLRACE_TEST_POSTGRES is not set. Start this through ./bench, which makes a throw-away PostgreSQL.");
    return 2;
}

return await Session.RunAsync(options, server);
