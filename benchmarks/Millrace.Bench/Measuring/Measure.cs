namespace Millrace.Bench.Measuring;

/// <summary>What a figure says, and how to read it.</summary>
/// <param name="Name">As it stands in the table and in the result file.</param>
/// <param name="Unit">Empty for a ratio.</param>
/// <param name="HigherIsBetter">Which way is progress.</param>
/// <param name="IsComparable">Whether it means the same on another machine. Rates do not; ratios and bytes of WAL do.</param>
/// <param name="Slack">A difference up to this is none, however many per cent it is.</param>
internal sealed record Measure(string Name, string Unit, bool HigherIsBetter, bool IsComparable, double Slack = 0)
{
    public static readonly Measure Drained = new("drained", "jobs/s", true, false);
    public static readonly Measure DrainedLate = new("drained, after the first fifth", "jobs/s", true, false);
    public static readonly Measure SubmittedSingly = new("submitted singly", "jobs/s", true, false);
    public static readonly Measure SubmittedInBulk = new("submitted in bulk", "jobs/s", true, false);

    public static readonly Measure ToRaw = new("drain to raw loop", "×", true, true);
    public static readonly Measure ToRawLate = new("the same after the first fifth", "×", true, true);
    public static readonly Measure ToOneProcess = new("4 processes to 1", "×", true, true);
    public static readonly Measure ToPgbench = new("to pgbench with as many clients", "×", true, true);
    public static readonly Measure ToPgbench8 = new("to pgbench with 8 clients", "×", true, true);
    public static readonly Measure ToCopy = new("bulk to raw COPY", "×", true, true);
    public static readonly Measure ToControl = new("drain to the ordinary one", "×", true, true);

    public static readonly Measure Commits = new("commits per job", "", false, true, 0.002);
    public static readonly Measure Statements = new("statements per job", "", false, true, 0.01);
    public static readonly Measure SubmitCommits = new("commits per job, submission", "", false, true, 0.01);
    public static readonly Measure SubmitterCpu = new("CPU of the submitter per job", "µs", false, false);
    public static readonly Measure SubmitWal = new("WAL per job, submission", "B", false, true, 5);
    public static readonly Measure DrainWal = new("WAL per job, drain", "B", false, true, 5);
    public static readonly Measure Wal = new("WAL per job, both", "B", false, true, 5);
    public static readonly Measure WorkerCpu = new("CPU of workers per job", "µs", false, false);
    public static readonly Measure ServerCpu = new("CPU of PostgreSQL per job", "µs", false, false);
    public static readonly Measure Memory = new("peak memory of a worker", "MB", false, true, 5);
    public static readonly Measure LockWaits = new("time in lock waits", "%", false, true, 2);
    public static readonly Measure Others = new("CPU of other programs", "%", false, false);

    public static readonly Measure AfterCommit50 = new("answer to start, p50", "ms", false, false);
    public static readonly Measure AfterCommit99 = new("answer to start, p99", "ms", false, false);
    public static readonly Measure AfterCall50 = new("call to start, p50", "ms", false, false);
    public static readonly Measure AfterCall99 = new("call to start, p99", "ms", false, false);

    public static readonly Measure Wait50 = new("wait from call to start, p50", "ms", false, false);
    public static readonly Measure Wait99 = new("wait from call to start, p99", "ms", false, false);
    public static readonly Measure WaitMost = new("wait from call to start, longest", "ms", false, false);
    public static readonly Measure Reached = new("rate reached", "jobs/s", true, false);

    public static readonly Measure Query = new("recent failures", "ms", false, false);
    public static readonly Measure Pruned = new("pruned meanwhile", "jobs/s", true, false);
    public static readonly Measure LatencyToControl = new("latency to that of an empty database", "×", false, true, 0.1);

    public static readonly Measure Look50 = new("p50", "ms", false, false);
    public static readonly Measure Look95 = new("p95", "ms", false, false);
    public static readonly Measure ToNoDashboard = new("drain to that without dashboards", "×", true, true, 0.03);

    public static readonly Measure StatementsPerSecond = new("statements", "1/s", false, true, 0.2);
    public static readonly Measure IdleCpu = new("CPU of the worker", "ms/s", false, false);
    public static readonly Measure IdleWal = new("WAL", "B/s", false, true, 50);
}
