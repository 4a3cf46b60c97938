namespace Millrace.Storage.Tests;

public sealed class NodeOnSqlite() : NodeContract(new SqliteDatabase());

public sealed class NodeOnPostgres() : NodeContract(new PostgresDatabase());

public sealed class NodeOnPgBouncer() : NodeContract(new PgBouncerDatabase());

public abstract class NodeContract(TestDatabase database) : Contract(database)
{
    [Fact]
    public async Task A_node_that_beats_stays_alive()
    {
        var (node, other) = (await NodeAsync(), await NodeAsync());
        for (var i = 0; i < 5; i++)
        {
            Clock.Advance(20 * Some.Second);
            node.Beat().ShouldBeTrue();
            other.Beat().ShouldBeTrue();
        }
        (await Store.SurveyAsync(other.Id, Stop)).Expired.ShouldBeEmpty();
        await SubmitAsync(Some.Job());
        (await node.ClaimAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_version_that_is_new_among_the_living_nodes_is_noted_once()
    {
        async Task<TestNode> StartAsync(string version, string application = "shop")
        {
            Clock.Advance(Some.Second);
            var node = await NodeAsync();
            await node.Store.RegisterAsync(node.Row() with { Application = application, Version = version }, Stop);
            return node;
        }

        var first = await StartAsync("1");
        await StartAsync("1");
        var second = await StartAsync("2");
        // Of the old version, while the new one comes; one that starts again; another program.
        await StartAsync("1");
        await second.Store.LeaveAsync(second.Id, Stop);
        await StartAsync("2");
        await StartAsync("1", "office");

        var noted = (await Store.Inspection.ReadDeploymentsAsync(Some.Noon, Stop)).ShouldHaveSingleItem("the first of a program takes the place of none");
        (noted.Application, noted.Version, noted.At).ShouldBe(("shop", "2", Some.Noon + 3 * Some.Second));
        (await Store.Inspection.ReadDeploymentsAsync(noted.At + Some.Second, Stop)).ShouldBeEmpty();
        (await Store.Inspection.ReadWorkersAsync(Stop)).Single(worker => worker.Id == first.Id).ShouldSatisfyAllConditions(worker => worker.Application.ShouldBe("shop"), worker => worker.Version.ShouldBe("1"));
    }

    [Fact]
    public async Task A_version_that_is_gone_back_to_is_noted_again()
    {
        foreach (var version in (string[])["1", "2", "1"])
        {
            Clock.Advance(Some.Second);
            var node = await NodeAsync();
            await node.Store.RegisterAsync(node.Row() with { Application = "shop", Version = version }, Stop);
            await node.Store.LeaveAsync(node.Id, Stop);
        }

        (await Store.Inspection.ReadDeploymentsAsync(Some.Noon, Stop)).Select(one => one.Version).ShouldBe(["2", "1"]);
    }

    [Fact]
    public async Task A_node_that_is_silent_is_seen_as_expired_and_can_be_buried_once()
    {
        var silent = await NodeAsync();
        await silent.DieAsync();
        var node = await NodeAsync();

        var sighting = (await node.Store.SurveyAsync(node.Id, Stop)).Expired.ShouldHaveSingleItem();
        (sighting.Id, sighting.Name).ShouldBe((silent.Id, "test:1"));
        (await node.Store.BuryAsync(sighting, Stop)).ShouldBeTrue();
        (await node.Store.BuryAsync(sighting, Stop)).ShouldBeFalse();
        (await node.Store.SurveyAsync(node.Id, Stop)).Expired.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_node_never_buries_itself_in_its_own_survey_while_it_beats()
    {
        var node = await NodeAsync();
        Clock.Advance(20 * Some.Second);
        node.Beat();
        (await node.Store.SurveyAsync(node.Id, Stop)).Expired.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_node_that_was_buried_is_told_by_its_next_beat_and_by_its_next_turn()
    {
        var zombie = await NodeAsync();
        await zombie.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync();
        await SubmitAsync(Some.Job());

        using var late = zombie.Store.OpenHeartbeat(zombie.Id, Some.Expiry);
        late.Beat().ShouldBeFalse();
        var answer = await zombie.TurnAsync(zombie.Turn(1));
        answer.NodeIsLost.ShouldBeTrue();
        answer.Claims.ShouldBeEmpty();
    }

    // G9: the database was away for longer than the expiry, for everybody.
    [Fact]
    public async Task A_node_that_expired_and_was_not_buried_lives_on_with_the_next_beat()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await SubmitAsync(Some.Job());
        Clock.Advance(10 * Some.Expiry);

        (await node.TurnAsync(node.Turn())).NodeIsLost.ShouldBeFalse();
        node.Beat().ShouldBeTrue();
        (await node.EndAsync(claim, Outcome.Succeeded)).ShouldBe(EndVerdict.Accepted);
        (await node.ClaimAsync()).ShouldHaveSingleItem();
    }

    // The other half: whoever comes second of the beat and the burial comes too late.
    [Fact]
    public async Task A_node_that_lived_on_is_not_buried_for_what_was_seen_before()
    {
        var (node, other) = (await NodeAsync(), await NodeAsync());
        Clock.Advance(10 * Some.Expiry);
        other.Beat();
        var sightings = (await other.Store.SurveyAsync(other.Id, Stop)).Expired;
        // On SQLite the lock says who lives, and nothing expires (rule 15).
        sightings.Count.ShouldBe(Database.HasOneWriter ? 0 : 1);
        node.Beat().ShouldBeTrue();
        foreach (var sighting in sightings)
            (await other.Store.BuryAsync(sighting, Stop)).ShouldBeFalse();
        node.Beat().ShouldBeTrue();
    }

    [Fact]
    public async Task A_heartbeat_of_a_node_that_was_never_registered_says_so()
    {
        using var heartbeat = Store.OpenHeartbeat(Guid.NewGuid(), Some.Expiry);
        heartbeat.Beat().ShouldBeFalse();
    }

    [Fact]
    public async Task A_node_that_left_is_neither_alive_nor_expired()
    {
        var (gone, node) = (await NodeAsync(), await NodeAsync());
        await gone.Store.LeaveAsync(gone.Id, Stop);
        (await node.Store.SurveyAsync(node.Id, Stop)).Expired.ShouldBeEmpty();
        await SubmitAsync(Some.Job());
        (await gone.TurnAsync(gone.Turn(1))).ShouldSatisfyAllConditions(answer => answer.NodeIsLost.ShouldBeTrue(), answer => answer.Claims.ShouldBeEmpty());
    }

    [Fact]
    public async Task Leaving_twice_does_no_harm()
    {
        var node = await NodeAsync();
        await node.Store.LeaveAsync(node.Id, Stop);
        await node.Store.LeaveAsync(node.Id, Stop);
    }

    // B4, decision 11: names and hosts identify nobody.
    [Fact]
    public async Task A_restarted_process_of_the_same_name_does_not_own_what_the_old_one_left()
    {
        var before = await NodeAsync();
        var claim = await RunningAsync(before);
        await before.DieAsync();
        var after = await NodeAsync();

        (await after.Store.SurveyAsync(after.Id, Stop)).OwnLeases.ShouldBeEmpty();
        (await after.EndAsync(claim, Outcome.Succeeded)).ShouldBe(EndVerdict.Stale);
        (await after.SweepAsync()).ShouldHaveSingleItem().Back.ShouldBe(1);
    }

    [Fact]
    public async Task A_survey_lists_the_leases_that_the_store_thinks_are_mine()
    {
        var (node, other) = (await NodeAsync(), await NodeAsync());
        var claim = await RunningAsync(node);
        await RunningAsync(other);
        var survey = await node.Store.SurveyAsync(node.Id, Stop);
        survey.OwnLeases.ShouldBe([claim.Lease]);
        survey.LeasesOfTheDead.ShouldBeEmpty();
    }

    [Fact]
    public async Task Registering_again_renews_what_is_known_of_a_node()
    {
        var node = await NodeAsync("send");
        await SubmitAsync(Some.Job("report"));
        await Store.TidyAsync(Stop);
        await node.Store.RegisterAsync(node.Row() with { Types = ["send", "report"] }, Stop);
        await Store.TidyAsync(Stop);
        var claims = (await node.TurnAsync(node.Turn(1) with { Types = ["send", "report"] })).Claims;
        claims.ShouldHaveSingleItem().Type.ShouldBe("report");
        node.Beat().ShouldBeTrue();
    }

    [Fact]
    public async Task A_node_can_say_that_it_is_idle_and_be_rung()
    {
        var node = await NodeAsync();
        await node.Store.SetIdleAsync(node.Id, true, Stop);
        await Store.RingAsync(["default"], Stop);
        await node.Store.SetIdleAsync(node.Id, false, Stop);
        node.Beat().ShouldBeTrue();
    }

    [Fact]
    public async Task A_wait_is_over_when_it_is_interrupted()
    {
        var node = await NodeAsync();
        var waiting = Task.Factory.StartNew(() => node.Heartbeat.Wait(TimeSpan.FromSeconds(60)), Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        node.Heartbeat.Interrupt();
        await waiting.WaitAsync(TimeSpan.FromSeconds(60), Stop);
    }

    [Fact]
    public async Task A_bell_is_heard_by_an_idle_node_in_another_process()
    {
        var node = await NodeAsync();
        if (!node.Store.HasBell)
        {
            node.Heartbeat.Wait(TimeSpan.FromMilliseconds(1)).ShouldBeEmpty();
            return;
        }
        // The first wait begins to listen.
        node.Heartbeat.Wait(TimeSpan.FromMilliseconds(1));
        await node.Store.SetIdleAsync(node.Id, true, Stop);
        var waiting = Task.Factory.StartNew(() => node.Heartbeat.Wait(TimeSpan.FromSeconds(60)), Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Store.RingAsync(["mail"], Stop);
        (await waiting).ShouldContain("mail");
    }

    [Fact]
    public async Task A_cancel_rings_for_the_node_that_runs_the_job()
    {
        var node = await NodeAsync();
        node.Heartbeat.Wait(TimeSpan.FromMilliseconds(1));
        var claim = await RunningAsync(node);
        var waiting = Task.Factory.StartNew(
            () => node.Heartbeat.Wait(node.Store.HasBell ? TimeSpan.FromSeconds(60) : TimeSpan.FromMilliseconds(100)), Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Store.CancelAsync(claim.JobId, null, null, Stop);
        // Without a bell the node finds the wish by looking.
        if (node.Store.HasBell)
            (await waiting).ShouldContain("!");
        else
            (await waiting).ShouldBeEmpty();
        (await Store.LookOutAsync(Stop)).HasCancelRequests.ShouldBeTrue();
    }

    [Fact]
    public async Task A_tombstone_is_cleared_away_when_its_leases_are_gone_and_time_has_passed()
    {
        var dead = await NodeAsync();
        await dead.DieAsync();
        var node = await NodeAsync();
        await node.SweepAsync();
        for (var day = 0; day < 3; day++)
        {
            Clock.Advance(TimeSpan.FromDays(1));
            await Store.TidyAsync(Stop);
        }
        (await CountAsync("node")).ShouldBeLessThanOrEqualTo(1);
    }
}
