using System.Globalization;

namespace Millrace.Bench;

/// <summary>What the command line asked for.</summary>
internal sealed record Options
{
    public const string Help = """
        ./bench [options]
          --quick            fewer jobs and rounds (about 5 minutes; without it about 25)
          --full             1,000,000 jobs, 10 million finished ones beside them (an hour or more)
          --only b1,b5       only these workloads: b1 to b8, idle, sqlite
          --rounds N         so many rounds
          --peers none       without Hangfire and Quartz.NET
          --json FILE        writes all figures of all rounds, with versions and settings
          --compare FILE     compares with such a file, and fails where something is worse by more than
          --regression 15    so many per cent
        """;

    public Scale Scale { get; private init; } = Scale.Normal;

    public IReadOnlyList<string> Only { get; private init; } = [];

    public bool HasPeers { get; private init; } = true;

    public string? Json { get; private init; }

    public string? Compare { get; private init; }

    public double Regression { get; private init; } = 15;

    public static Options Parse(IReadOnlyList<string> args)
    {
        var options = new Options();
        int? rounds = null;
        for (var i = 0; i < args.Count; i++)
        {
            string Next() => ++i < args.Count ? args[i] : throw new FormatException($"{args[i - 1]} needs a value.");
            options = args[i] switch
            {
                "--quick" => options with { Scale = Scale.Quick },
                "--full" => options with { Scale = Scale.Full },
                "--only" => options with { Only = Next().ToLowerInvariant().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) },
                "--rounds" => options with { Scale = options.Scale with { Rounds = (rounds = Number(Next())).Value } },
                "--peers" => options with { HasPeers = Next() switch { "none" => false, "all" => true, var other => throw new FormatException($"--peers is \"all\" or \"none\", not \"{other}\".") } },
                "--json" => options with { Json = Next() },
                "--compare" => options with { Compare = Next() },
                "--regression" => options with { Regression = Number(Next()) },
                var other => throw new FormatException($"There is no option \"{other}\"."),
            };
        }

        // Whatever the order of --quick and --rounds.
        return rounds is { } count ? options with { Scale = options.Scale with { Rounds = count } } : options;
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : throw new FormatException($"\"{text}\" is not a number above 0.");
}

/// <summary>How much is run.</summary>
internal sealed record Scale
{
    public required string Name { get; init; }

    public required int Rounds { get; init; }

    /// <summary>Jobs that are drained by the fast contenders. The others take so long that some thousand are enough for ten seconds.</summary>
    public required int Jobs { get; init; }

    public required int HangfireJobs { get; init; }

    public required int QuartzJobs { get; init; }

    /// <summary>Jobs whose latency is taken, one by one.</summary>
    public required int Pings { get; init; }

    /// <summary>How long an offered rate is kept up.</summary>
    public required TimeSpan Offered { get; init; }

    /// <summary>How long single submissions go on, for each number of callers.</summary>
    public required TimeSpan Submitting { get; init; }

    /// <summary>10 million finished and 1 million scheduled jobs are divided by this.</summary>
    public required int DepthDivisor { get; init; }

    /// <summary>How long an idle node is watched.</summary>
    public required TimeSpan Idle { get; init; }

    public static readonly Scale Normal = new()
    {
        Name = "normal", Rounds = 5, Jobs = 200_000, HangfireJobs = 1_500, QuartzJobs = 3_000, Pings = 500,
        Offered = TimeSpan.FromSeconds(60), Submitting = TimeSpan.FromSeconds(3), DepthDivisor = 10, Idle = TimeSpan.FromSeconds(30),
    };

    public static readonly Scale Quick = Normal with
    {
        Name = "quick", Rounds = 3, Jobs = 50_000, HangfireJobs = 500, QuartzJobs = 1_000, Pings = 200,
        Offered = TimeSpan.FromSeconds(10), Submitting = TimeSpan.FromSeconds(1), DepthDivisor = 100, Idle = TimeSpan.FromSeconds(15),
    };

    public static readonly Scale Full = Normal with { Name = "full", Rounds = 3, Jobs = 1_000_000, HangfireJobs = 3_000, QuartzJobs = 5_000, Pings = 1_000, DepthDivisor = 1 };
}
