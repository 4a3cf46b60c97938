using Microsoft.Extensions.Logging.Console;
using Millrace;

namespace FolderIndex;

/// <summary>How the options of the demo change the set-up of the application.</summary>
internal static class Setup
{
    /// <summary>The one line that differs between the two databases.</summary>
    public static MillraceBuilder UseDatabase(this MillraceBuilder builder, DemoOptions demo) =>
        demo.Postgres is { } connectionString ? builder.UsePostgres(connectionString) : builder.UseSqlite(demo.DatabaseFile);

    /// <summary>A run that ends shows its progress itself: its console is for errors. What the jobs log is kept with their attempts either way.</summary>
    public static void WriteFor(this ILoggingBuilder logging, DemoOptions demo)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(console => console.SingleLine = true);
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);
        // What goes wrong at the start is said in one message, by Program.cs.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        if (demo.Once)
            logging.AddFilter<ConsoleLoggerProvider>(null, LogLevel.Error);
    }
}
