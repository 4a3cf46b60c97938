using Millrace.Storage;

namespace Millrace.System.Tests;

/// <summary>G4: a submission that failed says truly whether it may be stored.</summary>
public sealed class SubmitFaultTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    // What waits behind a submission that is on its way when its own time is up is never sent: or its caller would look for it, not find it, and submit it again.
    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public async Task A_submission_that_was_not_sent_in_time_is_refused_and_not_stored_later(string kind)
    {
        await using var database = await TestDatabase.CreateAsync(kind);
        await using var plain = await TestClient.StartAsync(database);
        var (store, faults) = FaultyStore.Create(plain.Store, Mishap.Hang, 0, TimeSpan.FromSeconds(2.5), seed: 1);
        await using var client = await TestClient.StartAsync(database, m => m.UseStore((_, _) => store).Configure(options => options.SubmitTimeout = TimeSpan.FromSeconds(1)));
        (await client.Jobs.SubmitAsync(new Count(0))).Outcome.ShouldBe(Submitted.Created);

        faults.FailNext();
        var first = client.Jobs.SubmitAsync(new Count(1));
        await Eventually.IsAsync(() => faults.Failed is not null, Long, "the first is on its way");
        (await Should.ThrowAsync<SubmitException>(() => client.Jobs.SubmitAsync(new Count(2)))).Fault.ShouldBe(SubmitFault.NotStored);
        var unknown = await Should.ThrowAsync<SubmitException>(() => first);
        unknown.Fault.ShouldBe(SubmitFault.Unknown);
        unknown.JobIds.ShouldHaveSingleItem();

        // The way is free again, and one that comes later is sent.
        await Eventually.IsAsync(async () => await TryAsync(client.Jobs, new Count(3)), Long, "submissions are sent again");
        (await database.RowsAsync($"select data from {database.Table("job")} order by id")).ShouldBe(["{\"amount\":0}", "{\"amount\":3}"]);
    }

    private static async Task<bool> TryAsync(IJobClient jobs, Count data)
    {
        try
        {
            await jobs.SubmitAsync(data);
            return true;
        }
        catch (SubmitException exception) when (exception.Fault == SubmitFault.NotStored)
        {
            return false;
        }
    }

    // Repeated jobs are looked at after the commit that stored their new neighbours.
    [Fact]
    public async Task A_connection_that_breaks_after_the_commit_leaves_the_outcome_unknown()
    {
        await using var database = await TestDatabase.CreateAsync("postgres");
        await using var proxy = TcpProxy.Start(database.ConnectionString);
        await using var client = await TestClient.StartAsync(database, m => m.UsePostgres(proxy.ConnectionString));
        var ids = await client.Store.TakeIdsAsync(2, TestContext.Current.CancellationToken);
        var old = new NewJob { Id = ids.First, Nonce = 1, Type = "count" };
        var fresh = new NewJob { Id = ids.First + 1, Nonce = 2, Type = "count" };
        await client.Store.SubmitAsync([old], null, TestContext.Current.CancellationToken);

        proxy.CutAt = "select id, nonce\nfrom";
        (await Should.ThrowAsync<StoreException>(() => client.Store.SubmitAsync([old, fresh], null, TestContext.Current.CancellationToken))).Fault.ShouldBe(StoreFault.Unknown);
        (await database.NumberAsync("select count(*) from millrace.job")).ShouldBe(2, "it was stored indeed");
        proxy.CutAt = null;
        (await client.Store.SubmitAsync([old, fresh], null, TestContext.Current.CancellationToken)).ShouldAllBe(answer => answer.State == SubmitState.Created);
    }
}
