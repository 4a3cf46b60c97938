using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Millrace.System;

/// <summary>A type of version 1 that version 2 no longer has. Leaves one row in <c>effect</c>.</summary>
[Job("retired", Queue = "default")]
public sealed record Retired(long Amount);

/// <summary>A type that version 2 brings. Leaves one row in <c>effect</c>.</summary>
[Job("added", Queue = "default")]
public sealed record Added(long Amount);

/// <summary>Two versions of one program, for tests of upgrades.</summary>
public static class Versions
{
    /// <summary>The types that this version alone has; none for version 0.</summary>
    public static MillraceBuilder AddJobsOf(this MillraceBuilder builder, int version) => version switch
    {
        0 => builder,
        1 => builder.AddJob<Retired>((job, cancellationToken) => WriteAsync(job, job.Data.Amount, cancellationToken)),
        2 => builder.AddJob<Added>((job, cancellationToken) => WriteAsync(job, job.Data.Amount, cancellationToken)),
        _ => throw new ArgumentOutOfRangeException(nameof(version), version, "There are versions 0, 1 and 2."),
    };

    private static async Task WriteAsync(JobContext job, long amount, CancellationToken cancellationToken)
    {
        var database = job.Services.GetRequiredKeyedService<DbDataSource>("millrace");
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = $"insert into effect (job_id, run, amount) values ({job.Id}, {job.Fence}, {amount})";
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
