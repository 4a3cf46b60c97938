using System.Globalization;
using Quartz;

namespace Millrace.Bench.Contenders;

/// <summary>Quartz.NET 4 on PostgreSQL: one durable job, and a trigger for each job that is submitted. It keeps nothing of what has run.</summary>
internal sealed class QuartzPostgres : IPeer
{
    private const int Threads = 20;
    private const int BatchSize = 500;

    public string Name => "quartz";

    public string Title => "Quartz.NET";

    public string Settings => $"{Threads} threads, not clustered, IdleWaitTime 1 s (its least), MisfireThreshold 1 h, ScheduleJobs of {BatchSize} triggers";

    // A trigger is deleted when its job has run.
    public string IsFinished => "select not exists (select from qrtz_triggers) and not exists (select from qrtz_fired_triggers)";

    public string? CountSucceeded => null;

    public string CountStored => "select count(*) from qrtz_triggers";

    public bool HasBulk => true;

    public int JobsToDrain(Scale scale) => scale.QuartzJobs;

    public int Pings(Scale scale) => Math.Max(10, scale.Pings / 20);

    public async Task PrepareAsync(string database)
    {
        await using var factory = Build(database);
        var scheduler = await factory.GetScheduler();
        await scheduler.AddJob(Job<QuartzNoop>("noop"), new AddJobOptions { Replace = true });
        await scheduler.AddJob(Job<QuartzPing>("ping"), new AddJobOptions { Replace = true });
    }

    public async Task<ISubmitter> OpenSubmitterAsync(string database)
    {
        var factory = Build(database);
        return new Engine(factory, await factory.GetScheduler());
    }

    public async Task<IWorker> BuildWorkerAsync(string database)
    {
        var factory = Build(database);
        return new Engine(factory, await factory.GetScheduler());
    }

    private static IJobDetail Job<T>(string name)
        where T : IJob => JobBuilder.Create<T>().WithIdentity(name).StoreDurably().Build();

    private static StandaloneSchedulerFactory Build(string database) => QuartzSchedulerBuilder
        .Create(quartz => quartz
            .ConfigureScheduler(options =>
            {
                options.InstanceName = "bench";
                options.IdleWaitTime = TimeSpan.FromSeconds(1);
            })
            .UseDefaultThreadPool(Threads)
            .UsePersistentStore(store =>
            {
                store.UsePostgres(database);
                store.UseSystemTextJsonSerializer();
                store.ProvisionSchema();
                store.ConfigureStore(options => options.MisfireThreshold = TimeSpan.FromHours(1));
            }))
        .Build();

    private sealed class Engine(StandaloneSchedulerFactory factory, IScheduler scheduler) : ISubmitter, IWorker
    {
        public ISubmitter Submitter => this;

        public async Task StartAsync() => await scheduler.Start();

        public async Task StopAsync() => await scheduler.Shutdown(waitForJobsToComplete: true);

        public async Task SubmitManyAsync(int count, string text)
        {
            for (var first = 0; first < count; first += BatchSize)
            {
                var triggers = Enumerable.Range(first, Math.Min(BatchSize, count - first)).Select(number => Trigger("noop", number, text)).ToArray();
                // The job is stored already; only its triggers are new.
                await scheduler.ScheduleJobs(new Dictionary<IJobDetail, IReadOnlyCollection<ITrigger>> { [Job<QuartzNoop>("noop")] = triggers }, new ScheduleJobOptions { Replace = true });
            }
        }

        public async Task SubmitAsync(int number, string text) => await scheduler.ScheduleJob(Trigger("noop", number, text));

        public async Task PingAsync(int number) => await scheduler.ScheduleJob(Trigger("ping", number, ""));

        public ValueTask DisposeAsync() => factory.DisposeAsync();

        private static ITrigger Trigger(string job, int number, string text) => TriggerBuilder.Create()
            .WithIdentity($"{job}-{number}-{Guid.NewGuid():N}")
            .ForJob(job)
            .UsingJobData("number", number)
            .UsingJobData("text", text)
            .StartNow()
            .Build();
    }
}

/// <summary>Does nothing.</summary>
internal sealed class QuartzNoop : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        Arrivals.Ran();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Tells when it started.</summary>
internal sealed class QuartzPing : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        Arrivals.Pinged(Convert.ToInt32(context.MergedJobDataMap["number"], CultureInfo.InvariantCulture));
        return ValueTask.CompletedTask;
    }
}
