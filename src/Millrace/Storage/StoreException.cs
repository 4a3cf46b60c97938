namespace Millrace.Storage;

/// <summary>What is known about an operation of a store that failed.</summary>
public enum StoreFault
{
    /// <summary>The database could not be reached, ended the connection before the work began, or is a standby for the moment. Nothing was changed; try again later.</summary>
    Unavailable,

    /// <summary>The connection broke while the database was committing: the work may have happened. Every operation of a store can be repeated with the same ids.</summary>
    Unknown,

    /// <summary>Another transaction was in the way (serialization failure, deadlock, lock timeout, SQLite busy). Nothing was changed; try again at once.</summary>
    Conflict,

    /// <summary>The database refuses writes: out of space, or its file is read-only. Nothing was changed; a person has to look.</summary>
    ReadOnly,

    /// <summary>The database rejected this statement or this value, and would do so again.</summary>
    Rejected,
}

/// <summary>A store's only exception: the failure of the database, classified. The provider's own exception is the inner one.</summary>
public sealed class StoreException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="fault">What is known about the outcome.</param>
    /// <param name="message">What happened, to which database, and what to do.</param>
    /// <param name="innerException">The provider's exception.</param>
    public StoreException(StoreFault fault, string message, Exception? innerException = null)
        : base(message, innerException) => Fault = fault;

    /// <summary>What is known about the outcome.</summary>
    public StoreFault Fault { get; }

    /// <summary>Whether the same operation may succeed when it is repeated without a person's help.</summary>
    public bool IsTransient => Fault is StoreFault.Unavailable or StoreFault.Unknown or StoreFault.Conflict;
}
