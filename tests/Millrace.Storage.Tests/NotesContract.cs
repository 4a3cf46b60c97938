namespace Millrace.Storage.Tests;

public sealed class NotesOnSqlite() : NotesContract(new SqliteDatabase());

public sealed class NotesOnPostgres() : NotesContract(new PostgresDatabase());

public sealed class NotesOnPgBouncer() : NotesContract(new PgBouncerDatabase());

/// <summary>What a running attempt leaves behind: log lines, progress, and steps that must not be repeated.</summary>
public abstract class NotesContract(TestDatabase database) : Contract(database)
{
    [Fact]
    public async Task Log_lines_are_read_by_run_and_line_as_they_were_written()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        var full = Some.Line(claim, 2, "two") with { Level = Microsoft.Extensions.Logging.LogLevel.Error, Properties = """{"a":1}""", Exception = "System.Exception: no" };
        await Store.SaveLogAsync([Some.Line(claim, 10), full, Some.Line(claim, 1, "one")], Stop);
        await node.EndAsync(claim, Outcome.Failed);
        var second = await node.ClaimOneAsync();
        await Store.SaveLogAsync([Some.Line(second, 1)], Stop);

        var lines = await Store.ReadLogAsync(claim.JobId, Stop);

        lines.Select(line => (line.Run, line.Line)).ShouldBe([(1, 1), (1, 2), (1, 10), (2, 1)]);
        lines[1].ShouldBe(full);
    }

    [Fact]
    public async Task Lines_that_are_stored_are_left_alone_when_they_come_again()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await Store.SaveLogAsync([Some.Line(claim, 1, "first")], Stop);
        await Store.SaveLogAsync([Some.Line(claim, 1, "again"), Some.Line(claim, 2)], Stop);
        var lines = await Store.ReadLogAsync(claim.JobId, Stop);
        lines.Count.ShouldBe(2);
        lines[0].Message.ShouldBe("first");
    }

    [Fact]
    public async Task A_thousand_lines_are_stored_in_one_call()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await Store.SaveLogAsync([.. Enumerable.Range(1, 1_000).Select(i => Some.Line(claim, i))], Stop);
        (await Store.ReadLogAsync(claim.JobId, Stop)).Count.ShouldBe(1_000);
    }

    [Fact]
    public async Task No_lines_are_no_work() => await Store.SaveLogAsync([], Stop);

    [Fact]
    public async Task Lines_come_with_an_end_of_their_run()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        var end = node.End(claim, Outcome.Succeeded) with { Log = [Some.Line(claim, 1), Some.Line(claim, 2)] };
        var turn = node.Ending(end);
        await node.TurnAsync(turn);
        await node.TurnAsync(turn);
        (await Store.ReadLogAsync(claim.JobId, Stop)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_newest_progress_wins()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await Store.SaveProgressAsync(claim.JobId, 1, 10, "a", Stop);
        await Store.SaveProgressAsync(claim.JobId, 1, 62.5, null, Stop);
        var record = await FindAsync(claim.JobId);
        (record.Progress, record.ProgressMessage).ShouldBe((62.5, null));
    }

    [Fact]
    public async Task Progress_of_an_old_run_changes_nothing()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await node.EndAsync(claim, Outcome.Failed);
        await node.ClaimOneAsync();
        await Store.SaveProgressAsync(claim.JobId, 2, 20, "new", Stop);
        await Store.SaveProgressAsync(claim.JobId, 1, 90, "old", Stop);
        (await FindAsync(claim.JobId)).Progress.ShouldBe(20);
    }

    [Fact]
    public async Task Progress_of_the_run_before_is_not_shown_for_the_next()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await Store.SaveProgressAsync(claim.JobId, 1, 90, "old", Stop);
        await node.EndAsync(claim, Outcome.Failed);
        await node.ClaimOneAsync();
        (await FindAsync(claim.JobId)).Progress.ShouldBeNull();
    }

    [Fact]
    public async Task Progress_of_a_job_that_is_not_stored_is_dropped()
    {
        await Store.SaveProgressAsync(4711, 1, 5, null, Stop);
        (await CountAsync("progress")).ShouldBe(0);
    }

    [Fact]
    public async Task A_step_is_remembered_over_all_attempts_of_its_job()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        (await node.Store.ReadOnceAsync(claim.JobId, "charge", Stop)).ShouldBeNull();
        (await node.Store.SaveOnceAsync(node.Id, claim, "charge", """{"receipt":7}""", null, Stop)).ShouldBeTrue();
        await node.EndAsync(claim, Outcome.Failed);
        var second = await node.ClaimOneAsync();
        (await node.Store.ReadOnceAsync(second.JobId, "charge", Stop)).ShouldBe("""{"receipt":7}""");
        (await node.Store.SaveOnceAsync(node.Id, second, "charge", "2", null, Stop)).ShouldBeFalse();
        (await node.Store.SaveOnceAsync(node.Id, second, "mail", "null", null, Stop)).ShouldBeTrue();
    }

    [Fact]
    public async Task Two_jobs_may_have_steps_of_one_name()
    {
        var node = await NodeAsync();
        var (one, other) = (await RunningAsync(node), await RunningAsync(node));
        (await node.Store.SaveOnceAsync(node.Id, one, "step", "1", null, Stop)).ShouldBeTrue();
        (await node.Store.SaveOnceAsync(node.Id, other, "step", "2", null, Stop)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_run_that_lost_its_lease_remembers_no_step()
    {
        var zombie = await NodeAsync();
        var claim = await RunningAsync(zombie);
        await zombie.DieAsync();
        await (await NodeAsync()).SweepAsync();
        (await zombie.Store.SaveOnceAsync(zombie.Id, claim, "step", "1", null, Stop)).ShouldBeFalse();
        (await Store.ReadOnceAsync(claim.JobId, "step", Stop)).ShouldBeNull();
    }

    [Fact]
    public async Task In_the_users_transaction_a_step_is_remembered_if_and_only_if_it_commits()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await using (var transaction = await BeginAsync())
        {
            (await node.Store.SaveOnceAsync(node.Id, claim, "step", "1", transaction, Stop)).ShouldBeTrue();
            await transaction.RollbackAsync(Stop);
        }
        (await Store.ReadOnceAsync(claim.JobId, "step", Stop)).ShouldBeNull();
        await using (var transaction = await BeginAsync())
        {
            (await node.Store.SaveOnceAsync(node.Id, claim, "step", "2", transaction, Stop)).ShouldBeTrue();
            await transaction.CommitAsync(Stop);
        }
        (await Store.ReadOnceAsync(claim.JobId, "step", Stop)).ShouldBe("2");
    }
}
