namespace Millrace.Storage;

/// <summary>How a run ended, as its node sees it. The store accepts it if the run's lease still lists the run and nobody ended it before.</summary>
public sealed record AttemptEnd
{
    /// <summary>The run.</summary>
    public required Claim Claim { get; init; }

    /// <summary>How it ended. Never <see cref="Outcome.Interrupted"/>, which is a rescuer's word.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Whether the retry policy counts the run.</summary>
    public required bool Charged { get; init; }

    /// <summary>When the handler began, by the store's clock.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended, by the store's clock.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>The handler's result as JSON text; null for none.</summary>
    public string? Result { get; init; }

    /// <summary>Why it did not succeed, sanitised, at most 16 KB; null when it did.</summary>
    public string? Error { get; init; }

    /// <summary>When a final end may be pruned, counted from <see cref="Finished"/>; null to keep it.</summary>
    public TimeSpan? RemoveAfter { get; init; }

    /// <summary>For an end that is not final: how long until the job is due again. Zero or less: ready at once.</summary>
    public TimeSpan Again { get; init; }

    /// <summary>Jobs to store in the same commit, and only if the end is accepted.</summary>
    public IReadOnlyList<NewJob> Then { get; init; } = [];

    /// <summary>Log lines written during the run that are not stored yet. Stored even if the end is stale.</summary>
    public IReadOnlyList<LogLine> Log { get; init; } = [];
}

/// <summary>What a store did with an <see cref="AttemptEnd"/>.</summary>
public enum EndVerdict
{
    /// <summary>Stored now, or by an earlier try of the same turn.</summary>
    Accepted,

    /// <summary>Stored as cancelled instead: somebody had asked for that, and the job would have been pending again.</summary>
    Cancelled,

    /// <summary>Stored as superseded instead: the job would have been pending again, but a newer job holds its key.</summary>
    Superseded,

    /// <summary>Refused: the lease was lost, or somebody else ended this run. Nothing was changed.</summary>
    Stale,
}
