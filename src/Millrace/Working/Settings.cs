using System.Globalization;
using Microsoft.Extensions.Configuration;
using Millrace.Processes;
using Millrace.Submitting;
using Millrace.Tending;

namespace Millrace.Working;

/// <summary>The settings of an instance: defaults, then the configuration section, then code; checked, all faults together.</summary>
internal sealed class Settings
{
    private readonly List<string> faults = [];

    private Settings()
    {
    }

    public MillraceOptions Options { get; } = new();

    public WorkerOptions? Workers { get; private set; }

    /// <summary>The sections <c>Jobs:&lt;type&gt;</c>.</summary>
    public IReadOnlyDictionary<string, JobPolicy> Jobs { get; private set; } = new Dictionary<string, JobPolicy>();

    public IReadOnlyList<string> Faults => faults;

    public static Settings Read(IConfiguration? configuration, MillraceBuilder builder)
    {
        var settings = new Settings();
        var path = builder.Name == MillraceServiceCollectionExtensions.DefaultName ? "Millrace" : $"Millrace:{builder.Name}";
        if (configuration?.GetSection(path) is { } section)
            settings.Bind(section, builder.Workers is not null);
        else if (builder.Workers is not null)
            settings.Workers = new WorkerOptions();
        foreach (var configure in builder.Options)
            configure(settings.Options);
        foreach (var configure in builder.Workers ?? [])
            configure(settings.Workers!);
        if (settings.Workers is { } workers && WorkerCount.Apply(Environment.GetEnvironmentVariable(WorkerCount.Variable), workers) is { } fault)
            settings.faults.Add(fault);
        settings.Check();
        return settings;
    }

    private void Bind(IConfigurationSection section, bool hasWorkers)
    {
        Set(section, nameof(Options.MaxAttempts), Number, value => Options.MaxAttempts = value);
        Set(section, nameof(Options.Timeout), Span, value => Options.Timeout = value);
        Set(section, nameof(Options.RemoveDelay), Span, value => Options.RemoveDelay = value);
        Set(section, nameof(Options.FailureRemoveDelay), Span, value => Options.FailureRemoveDelay = value);
        Set(section, nameof(Options.MaxDataSizeInBytes), Number, value => Options.MaxDataSizeInBytes = value);
        Set(section, nameof(Options.SubmitTimeout), Span, value => Options.SubmitTimeout = value);
        Set(section, nameof(Options.SchemaChanges), Word<SchemaChanges>, value => Options.SchemaChanges = value);
        Set(section, nameof(Options.UnknownTypes), Word<UnknownTypes>, value => Options.UnknownTypes = value);
        if (section[nameof(Options.RemoveOldWorkerJobs)] is { } prune)
            Options.RemoveOldWorkerJobs = prune.Length == 0 ? null : prune;

        var jobs = new Dictionary<string, JobPolicy>(StringComparer.Ordinal);
        foreach (var job in section.GetSection("Jobs").GetChildren())
            jobs[job.Key] = BindJob(job);
        Jobs = jobs;

        if (!hasWorkers)
            return;
        var workers = Workers = new WorkerOptions();
        var workerSection = section.GetSection("Workers");
        Set(workerSection, nameof(workers.Concurrency), Number, value => workers.Concurrency = value);
        Set(workerSection, nameof(workers.ShutdownGrace), Span, value => workers.ShutdownGrace = value);
        Set(workerSection, nameof(workers.NodeExpiry), Span, value => workers.NodeExpiry = value);
        Set(workerSection, nameof(workers.PollInterval), Span, value => workers.PollInterval = value);
        Set(workerSection, nameof(workers.Prefetch), Span, value => workers.Prefetch = value);
        Set(workerSection, nameof(workers.Processes), Processes, value => workers.Processes = value);
        Set(workerSection, nameof(workers.IsolatedProcesses), Number, value => workers.IsolatedProcesses = value);
        Set(workerSection, nameof(workers.RecycleAfterJobs), Number, value => workers.RecycleAfterJobs = value);
        Set(workerSection, nameof(workers.RecycleAboveMemory), LongNumber, value => workers.RecycleAboveMemory = value);
        Set(workerSection, nameof(workers.TimeoutGrace), Span, value => workers.TimeoutGrace = value);
        foreach (var queue in workerSection.GetSection(nameof(workers.Queues)).GetChildren())
        {
            var options = workers.Queues[queue.Key] = new QueueOptions();
            Set(queue, nameof(options.Concurrency), Number, value => options.Concurrency = value);
        }
    }

    private JobPolicy BindJob(IConfigurationSection section)
    {
        var policy = JobPolicy.Empty;
        Set(section, nameof(policy.MaxAttempts), Number, value => policy = policy with { MaxAttempts = value });
        Set(section, nameof(policy.Timeout), Span, value => policy = policy with { Timeout = value });
        Set(section, nameof(policy.RemoveDelay), Span, value => policy = policy with { RemoveDelay = value });
        if (section[nameof(policy.Queue)] is { } queue)
            policy = policy with { Queue = queue };
        faults.AddRange(policy.Faults(section.Path));
        if (policy.Queue is { } name && NameValidator.Fault("Queue", name) is { } fault)
            faults.Add($"{section.Path}:Queue: {fault}");
        return policy;
    }

    private void Check()
    {
        Require(Options.MaxAttempts is >= 1 and <= 1000, "MillraceOptions.MaxAttempts", "1 to 1,000", Options.MaxAttempts);
        Require(IsInfiniteOr(Options.Timeout, Options.Timeout > TimeSpan.Zero), "MillraceOptions.Timeout", "more than zero, or infinite", Options.Timeout);
        Require(IsInfiniteOr(Options.RemoveDelay, Options.RemoveDelay >= TimeSpan.Zero), "MillraceOptions.RemoveDelay", "zero or more, or infinite", Options.RemoveDelay);
        Require(IsInfiniteOr(Options.FailureRemoveDelay, Options.FailureRemoveDelay >= TimeSpan.Zero), "MillraceOptions.FailureRemoveDelay", "zero or more, or infinite", Options.FailureRemoveDelay);
        Require(Options.MaxDataSizeInBytes is >= 1 and <= DataValidator.HardMaxSizeInBytes, "MillraceOptions.MaxDataSizeInBytes", "1 to 1,048,576", Options.MaxDataSizeInBytes);
        Require(Options.SubmitTimeout > TimeSpan.Zero, "MillraceOptions.SubmitTimeout", "more than zero", Options.SubmitTimeout);
        if (Options.RemoveOldWorkerJobs is { } cron)
            CheckCron(cron);
        if (Workers is not { } workers)
            return;
        Require(workers.Concurrency is >= 1 and <= 1000, "WorkerOptions.Concurrency", "1 to 1,000", workers.Concurrency);
        Require(workers.ShutdownGrace >= TimeSpan.Zero, "WorkerOptions.ShutdownGrace", "zero or more", workers.ShutdownGrace);
        Require(workers.NodeExpiry >= TimeSpan.FromSeconds(1), "WorkerOptions.NodeExpiry", "at least 1 second", workers.NodeExpiry);
        Require(workers.PollInterval >= TimeSpan.FromMilliseconds(10) && workers.PollInterval <= TimeSpan.FromMinutes(1), "WorkerOptions.PollInterval", "10 milliseconds to 1 minute", workers.PollInterval);
        Require(workers.IsolatedProcesses is >= 1 and <= WorkerProcesses.Most, "WorkerOptions.IsolatedProcesses", "1 to 256", workers.IsolatedProcesses);
        Require(workers.RecycleAfterJobs >= 0, "WorkerOptions.RecycleAfterJobs", "0 (never) or more", workers.RecycleAfterJobs);
        Require(workers.RecycleAboveMemory >= 0, "WorkerOptions.RecycleAboveMemory", "0 (never) or more", workers.RecycleAboveMemory);
        Require(IsInfiniteOr(workers.TimeoutGrace, workers.TimeoutGrace > TimeSpan.Zero), "WorkerOptions.TimeoutGrace", "more than zero, or infinite", workers.TimeoutGrace);
        Require(workers.Prefetch >= TimeSpan.Zero && workers.Prefetch <= TimeSpan.FromSeconds(10), "WorkerOptions.Prefetch", "zero to 10 seconds", workers.Prefetch);
        foreach (var (queue, options) in workers.Queues)
        {
            Require(options.Concurrency is >= 0 and <= 1000, $"WorkerOptions.Queues[\"{queue}\"].Concurrency", "1 to 1,000 (or 0 for WorkerOptions.Concurrency)", options.Concurrency);
            if (NameValidator.Fault("Queue", queue) is { } fault)
                faults.Add(fault);
        }
    }

    private void CheckCron(string cron)
    {
        try
        {
            CronTimes.Parse(cron, null);
        }
        catch (InvalidScheduleException exception)
        {
            faults.Add($"MillraceOptions.RemoveOldWorkerJobs: {exception.Message}");
        }
    }

    private void Require(bool isGood, string place, string range, object value)
    {
        if (!isGood)
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"{place} must be {range}; it is {value}."));
    }

    private static bool IsInfiniteOr(TimeSpan span, bool isGood) => span == Timeout.InfiniteTimeSpan || isGood;

    private void Set<TValue>(IConfigurationSection section, string key, Func<string, (bool IsGood, TValue Value, string Expected)> parse, Action<TValue> set)
    {
        if (section[key] is not { } text)
            return;
        var (isGood, value, expected) = parse(text);
        if (isGood)
            set(value);
        else
            faults.Add($"The setting {section.Path}:{key} is \"{text}\"; it must be {expected}.");
    }

    private static (bool IsGood, int Value, string Expected) Number(string text) =>
        (int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value), value, "a whole number");

    private static (bool IsGood, long Value, string Expected) LongNumber(string text) =>
        (long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value), value, "a whole number");

    private static (bool IsGood, WorkerProcesses Value, string Expected) Processes(string text) =>
        (WorkerProcesses.TryParse(text, out var value), value, "\"cpus\" or a number from 0 to 256");

    private static (bool IsGood, TimeSpan Value, string Expected) Span(string text)
    {
        if (text is "infinite" or "forever")
            return (true, Timeout.InfiniteTimeSpan, "");
        return (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var value), value, "a time span such as \"00:01:00\", or \"infinite\"");
    }

    private static (bool IsGood, TWord Value, string Expected) Word<TWord>(string text)
        where TWord : struct, Enum =>
        (Enum.TryParse<TWord>(text, ignoreCase: true, out var value) && Enum.IsDefined(value), value, $"one of {string.Join(", ", Enum.GetNames<TWord>())}");
}
