using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Millrace.Storage;
using Millrace.Tending;
using Millrace.Working;

namespace Millrace.Submitting;

/// <summary>Turns what the application submits into what a store takes: names, JSON, policy, all checked. Pure but for the nonce.</summary>
internal sealed class JobWriter(MillraceOptions options, TypeRegistry types, JobPolicies policies, JobJson json)
{
    [ThreadStatic]
    private static Stack<long>? nonces;

    public NewJob Write<TData>(TData data, JobOptions jobOptions, long? parent)
        where TData : notnull => Write(Template<TData>(jobOptions, parent), data);

    public NewJob Write(string type, string text, JobOptions jobOptions, long? parent) => Fill(Template(type, jobOptions, parent), text);

    /// <summary>What all jobs of one call have in common, checked once: everything but id, nonce and data.</summary>
    public NewJob Template<TData>(JobOptions jobOptions, long? parent)
        where TData : notnull => Template(NameOf<TData>(), jobOptions, parent);

    /// <summary>One of them.</summary>
    public NewJob Write<TData>(NewJob template, TData data)
        where TData : notnull => Fill(template, Serialize(template.Type, data));

    private NewJob Fill(NewJob template, string text)
    {
        DataValidator.Check(template.Type, text, options.MaxDataSizeInBytes);
        return template with { Nonce = NewNonce(), Data = text };
    }

    private NewJob Template(string type, JobOptions jobOptions, long? parent)
    {
        NameValidator.Check("Job type", type, nameof(type));
        if (jobOptions.Tag is { } given)
            NameValidator.Check("Tag", given, nameof(jobOptions.Tag));
        if (jobOptions.Queue is { } queue)
            NameValidator.Check("Queue", queue, nameof(jobOptions.Queue));
        Check(type, jobOptions);

        return new NewJob
        {
            Id = 0,
            Nonce = 0,
            Type = type,
            Tag = jobOptions.Tag,
            UserId = jobOptions.UserId,
            Queue = jobOptions.Queue ?? policies.QueueOf(type),
            Priority = jobOptions.Priority,
            Due = jobOptions.Due,
            Delay = jobOptions.Delay,
            Policy = JobPolicy.Of(jobOptions).ToJson(),
            Headers = WriteHeaders(jobOptions.Headers),
            Trace = Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null,
            Parent = parent,
            Key = jobOptions is { WhenPending: not WhenPending.Submit, Tag: { } tag } ? new JobKey(tag, jobOptions.WhenPending, jobOptions.Unique) : null,
        };
    }

    public Schedule WriteSchedule(NewJob template, JobOptions jobOptions, DateTimeOffset now)
    {
        var times = CronTimes.Parse(jobOptions.CronSchedule!, jobOptions.TimeZone);
        return new Schedule
        {
            Name = jobOptions.Tag ?? template.Type,
            Cron = jobOptions.CronSchedule!,
            Zone = times.Zone,
            IsPersistent = jobOptions.Persistent,
            MissedTicks = jobOptions.MissedTicks,
            Template = template,
            NextDue = times.Next(now),
        };
    }

    /// <summary>The name under which a name given by hand is submitted.</summary>
    public string CheckName(string type)
    {
        NameValidator.Check("Job type", type, nameof(type));
        if (types.Find(type) is { } known)
            return known.Name;
        if (options.UnknownTypes == UnknownTypes.Refuse && types.HasHandlers)
        {
            throw new UnknownJobTypeException(
                type,
                $"{types.DescribeUnknown(type)} Nothing was stored. If other nodes have a handler for it, set MillraceOptions.UnknownTypes to Accept.");
        }
        return type;
    }

    // Random numbers are drawn some at a time: each draw asks the operating system.
    public static long NewNonce()
    {
        if (nonces is not { Count: > 0 })
        {
            Span<long> drawn = stackalloc long[64];
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(drawn));
            nonces = new Stack<long>(drawn.ToArray());
        }
        return nonces.Pop();
    }

    private static string NameOf<TData>() => DataName<TData>.Name ?? throw new ArgumentException(
        typeof(TData) == typeof(object) || typeof(TData) == typeof(string) || typeof(TData).IsInterface
            ? $"SubmitAsync takes the stored name from the type of its data, and {typeof(TData).Name} has none. Pass the data record itself, or use SubmitNamedAsync to submit by name."
            : $"The data type {typeof(TData)} has no stored name. Mark it with [Job(\"…\")], or use SubmitNamedAsync to submit by name.");

    private string Serialize<TData>(string type, TData data)
    {
        try
        {
            return json.Write(data);
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new JobDataException(type, "$", "writable as JSON", $"The data of job type \"{type}\" ({typeof(TData).Name}) cannot be written as JSON: {exception.Message} Nothing was stored.", exception);
        }
    }

    private static void Check(string type, JobOptions jobOptions)
    {
        if (jobOptions.Due is not null && jobOptions.Delay != TimeSpan.Zero)
            throw new ArgumentException($"A submission of \"{type}\" sets both Due ({jobOptions.Due:O}) and Delay ({jobOptions.Delay}). Set one of them. Nothing was stored.");
        if (jobOptions.Delay < TimeSpan.Zero || jobOptions.Delay > TimeSpan.FromDays(3660))
            throw new ArgumentException($"The Delay of a submission of \"{type}\" is {jobOptions.Delay}; it must be zero to ten years. Nothing was stored.");
        if (jobOptions.WhenPending != WhenPending.Submit && jobOptions.Tag is null)
            throw new ArgumentException($"A submission of \"{type}\" with WhenPending.{jobOptions.WhenPending} needs a Tag: it is what is compared. Nothing was stored.");
        if (jobOptions.WhenPending == WhenPending.Submit && jobOptions.Unique != default)
            throw new ArgumentException($"A submission of \"{type}\" sets Unique but not WhenPending, so it would do nothing. Set WhenPending to Keep, Replace or Postpone. Nothing was stored.");
        if (jobOptions.CronSchedule is null && (jobOptions.TimeZone is not null || jobOptions.Persistent || jobOptions.MissedTicks != default))
            throw new ArgumentException($"A submission of \"{type}\" sets TimeZone, Persistent or MissedTicks, which belong to a CronSchedule, but has none. Nothing was stored.");
        if (jobOptions.MaxAttempts is < 1 or > 1000)
            throw new ArgumentException($"The MaxAttempts of a submission of \"{type}\" is {jobOptions.MaxAttempts}; it must be 1 to 1,000. Nothing was stored.");
        if (jobOptions.Timeout is { } timeout && timeout != Timeout.InfiniteTimeSpan && (timeout <= TimeSpan.Zero || timeout > TimeSpan.FromDays(40)))
            throw new ArgumentException($"The Timeout of a submission of \"{type}\" is {timeout}; it must be more than zero and at most 40 days, or infinite. Nothing was stored.");
        if (jobOptions.RemoveDelay is { } removeDelay && removeDelay != Timeout.InfiniteTimeSpan && removeDelay < TimeSpan.Zero)
            throw new ArgumentException($"The RemoveDelay of a submission of \"{type}\" is {removeDelay}; it must be zero or more, or infinite. Nothing was stored.");
    }

    private static string? WriteHeaders(IReadOnlyDictionary<string, string>? headers)
    {
        if (headers is null or { Count: 0 })
            return null;
        NameValidator.CheckHeaders(headers);
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in headers)
                writer.WriteString(name, value);
            writer.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static class DataName<TData>
    {
        public static readonly string? Name = typeof(TData).GetCustomAttribute<JobAttribute>()?.Name;
    }
}
