namespace Millrace.Bench.Contenders;

/// <summary>Another job system. Each is given its documented fast settings.</summary>
internal interface IPeer : IContender
{
    /// <summary>Whether it has a way to submit many at once. Otherwise a backlog is made by many callers, and its rate says nothing.</summary>
    bool HasBulk { get; }

    /// <summary>Enough for about ten seconds.</summary>
    int JobsToDrain(Scale scale);

    /// <summary>Enough for a p99 where it answers in milliseconds, some where it takes half a second.</summary>
    int Pings(Scale scale);
}
