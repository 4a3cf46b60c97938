namespace FolderIndex;

/// <summary>What the person who started the demo asked for.</summary>
internal sealed record DemoOptions
{
    public const string Help = """
        Indexes the words of all text files in a folder, with background jobs.

          ./demo                     indexes this repository, keeps running, and shows what it does on http://localhost:5080 (its jobs below /jobs)
          ./demo --once              indexes, prints a summary and ends

          --folder PATH              another folder
          --postgres CONNECTION      keep jobs and index in PostgreSQL, e.g. "Host=localhost;Database=demo;Username=demo"
          --data DIR                 keep them in a SQLite file in this directory (default: ./demo-data)
          --concurrency N            how many jobs run at the same time, 1 to 1000 (default: 8)
          --workers N                run them in N child processes, 0 to 256, each with that many jobs at a time (default: 0, none)
          --help                     this text

        The last line of --once is "done: files=F words=W jobs=J failed=X seconds=S". It ends with code 0 when no job failed.
        Symbolic links, binary files and files of more than 10 MB are left out. A run that was stopped or killed is continued by the next one.
        """;

    public bool WantsHelp { get; private init; }

    public bool Once { get; private init; }

    /// <summary>A full path, without a separator at its end.</summary>
    public string Folder { get; private init; } = Directory.GetCurrentDirectory();

    /// <summary>A connection string; null for SQLite.</summary>
    public string? Postgres { get; private init; }

    public string DataDirectory { get; private init; } = Path.GetFullPath("demo-data");

    public int Concurrency { get; private init; } = 8;

    /// <summary>0: jobs run in this process.</summary>
    public int Workers { get; private init; }

    /// <summary>Where the web server listens. A run that ends takes any free port, so that it can be started beside another.</summary>
    public string Url => Once ? "http://127.0.0.1:0" : "http://localhost:5080";

    public string DatabaseFile => Path.Combine(DataDirectory, "index.db");

    public string DatabaseName => Postgres is null ? DatabaseFile : "PostgreSQL";

    /// <exception cref="DemoException">The arguments make no sense.</exception>
    public static DemoOptions Read(string[] args)
    {
        var options = new DemoOptions();
        for (var i = 0; i < args.Length; i++)
        {
            options = args[i] switch
            {
                "--help" or "-h" => options with { WantsHelp = true },
                "--once" => options with { Once = true },
                "--folder" => options with { Folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(Value())) },
                "--postgres" => options with { Postgres = Value() },
                "--data" => options with { DataDirectory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(Value())) },
                "--concurrency" => options with { Concurrency = Number("--concurrency", Value(), 1, 1000) },
                "--workers" => options with { Workers = Number("--workers", Value(), 0, 256) },
                _ => throw new DemoException($"There is no option \"{args[i]}\". See ./demo --help."),
            };

            string Value() => ++i < args.Length && args[i].Length > 0 ? args[i] : throw new DemoException($"{args[i - 1]} needs a value. See ./demo --help.");
        }
        return options.WantsHelp ? options : options.Checked();
    }

    private static int Number(string option, string text, int least, int most) => int.TryParse(text, out var number) && number >= least && number <= most
        ? number
        : throw new DemoException($"{option} must be {least} to {most}; it is \"{text}\".");

    private DemoOptions Checked()
    {
        if (!Directory.Exists(Folder))
            throw new DemoException($"--folder must name a directory; {(File.Exists(Folder) ? $"{Folder} is a file" : $"there is none at {Folder}")}. Nothing was indexed.");
        if (File.Exists(DataDirectory))
            throw new DemoException($"--data must name a directory, which is made when it is missing; {DataDirectory} is a file. Nothing was indexed.");
        return this;
    }
}
