using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Millrace.Postgres;
using Millrace.Storage;
using Npgsql;

namespace Millrace;

/// <summary>Chooses PostgreSQL as the database of Millrace.</summary>
public static class PostgresBuilderExtensions
{
    /// <summary>
    /// Keeps jobs in a PostgreSQL database. The engine uses two connections; handlers get a pool of their own, registered as a keyed
    /// <see cref="NpgsqlDataSource"/> under the instance's name (<c>"millrace"</c> unless one was given).
    /// </summary>
    /// <param name="builder">The builder that <c>AddMillrace</c> gave.</param>
    /// <param name="connectionString">A connection string of Npgsql. Its pool settings do not count: <see cref="PostgresOptions.HandlerConnections"/> does.</param>
    /// <param name="configure">Sets options; null for the defaults.</param>
    /// <exception cref="ArgumentException">The connection string cannot be read, or an option is out of its range. The message names all faults and never the password.</exception>
    public static MillraceBuilder UsePostgres(this MillraceBuilder builder, string connectionString, Action<PostgresOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        var options = Read(configure);
        var settings = Parse(connectionString);
        return builder.Use((_, clock) => new PostgresStore(settings, options, clock));
    }

    /// <summary>
    /// Keeps jobs in the database of a data source that the application has. The engine keeps two of its connections; the rest are the
    /// handlers'. The data source stays the application's to dispose of.
    /// </summary>
    /// <param name="builder">The builder that <c>AddMillrace</c> gave.</param>
    /// <param name="dataSource">The data source. Its pool must hold at least 3 connections, and it must not multiplex.</param>
    /// <param name="configure">Sets options; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range. The message names all faults.</exception>
    public static MillraceBuilder UsePostgres(this MillraceBuilder builder, NpgsqlDataSource dataSource, Action<PostgresOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(dataSource);
        var options = Read(configure);
        return builder.Use((_, clock) => new PostgresStore(dataSource, options, clock));
    }

    private static MillraceBuilder Use(this MillraceBuilder builder, Func<IServiceProvider, StoreClock, IJobStore> create)
    {
        builder.Services.TryAddKeyedSingleton(
            builder.Name,
            static (services, name) => services.GetRequiredKeyedService<IJobStore>(name).Handlers as NpgsqlDataSource
                ?? throw new InvalidOperationException($"The Millrace instance \"{name}\" does not use PostgreSQL any more: a later call chose another database."));
        return builder.UseStore(create);
    }

    private static PostgresOptions Read(Action<PostgresOptions>? configure)
    {
        var options = new PostgresOptions();
        configure?.Invoke(options);
        var faults = string.Join(" ", options.Faults());
        return faults.Length == 0 ? options : throw new ArgumentException(faults, nameof(configure));
    }

    private static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or KeyNotFoundException)
        {
            // The inner message may quote a part of the text, and with it the password: it is left out.
            throw new ArgumentException(
                "The connection string given to UsePostgres cannot be read. It must be key=value pairs that Npgsql knows, like \"Host=localhost;Database=app;Username=app;Password=...\".",
                nameof(connectionString));
        }

        if (string.IsNullOrEmpty(settings.Host))
            throw new ArgumentException("The connection string given to UsePostgres names no Host. Like this: \"Host=localhost;Database=app;Username=app;Password=...\".", nameof(connectionString));
        return settings;
    }
}
