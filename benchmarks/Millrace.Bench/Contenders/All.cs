namespace Millrace.Bench.Contenders;

internal static class All
{
    public static readonly IContender Millrace = new MillracePostgres();
    public static readonly IContender Sqlite = new MillraceSqlite();
    public static readonly IContender Raw = new RawLoop();
    public static readonly IContender Bare = new BareStatements();

    public static readonly IReadOnlyList<IPeer> Peers = [new HangfirePostgres(), new QuartzPostgres()];

    public static readonly IReadOnlyList<IContender> Contenders = [Raw, Bare, Millrace, Sqlite, .. Peers];

    public static IContender Named(string name) => Contenders.Single(contender => contender.Name == name);
}
