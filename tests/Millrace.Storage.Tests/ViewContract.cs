using System.Globalization;

namespace Millrace.Storage.Tests;

public sealed class ViewOnSqlite() : ViewContract(new SqliteDatabase());

public sealed class ViewOnPostgres() : ViewContract(new PostgresDatabase());

public sealed class ViewOnPgBouncer() : ViewContract(new PgBouncerDatabase());

/// <summary>The view <c>worker_jobs</c>, as people query it (DESIGN §4.4).</summary>
public abstract class ViewContract(TestDatabase database) : Contract(database)
{
    private static readonly string[] Columns =
    [
        "id", "attempt", "type", "tag", "user_id", "queue", "priority", "data", "due", "started", "finished", "success", "result", "cron_schedule", "persistent",
        "auto_reschedule_on_failure", "auto_reschedule_on_failure_delay", "remove_delay", "remove_at", "rescheduled_from_job", "state", "created_at",
    ];

    /// <summary>The rows of one job by attempt, pending last, each value in the form that both databases share.</summary>
    private async Task<Row[]> RowsAsync(string where = "id = @id", long id = 0) =>
    [
        .. (await Database.QueryAsync(
            $"select id, attempt, type, tag, due, started, finished, success, result, state, remove_at, rescheduled_from_job from worker_jobs where {where} order by attempt, started is null", ("id", id)))
            .Select(row => new Row(
                Number(row[0]), Number(row[1]), (string)row[2]!, (string?)row[3], Time(row[4]), Time(row[5]), Time(row[6]),
                row[7] is null ? null : Convert.ToBoolean(row[7], CultureInfo.InvariantCulture), (string?)row[8], (string)row[9]!, Time(row[10]), Number(row[11]))),
    ];

    private sealed record Row(
        long? Id, long? Attempt, string Type, string? Tag, DateTimeOffset? Due, DateTimeOffset? Started, DateTimeOffset? Finished, bool? Success, string? Result,
        string State, DateTimeOffset? RemoveAt, long? RescheduledFrom)
    {
        public bool IsPending => Started is null;
        public bool IsRunning => Started is not null && Finished is null;
    }

    private static long? Number(object? value) => value is null ? null : Convert.ToInt64(value, CultureInfo.InvariantCulture);

    private static DateTimeOffset? Time(object? value) => value switch
    {
        null => null,
        DateTime time => new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)),
        string text => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal),
        _ => throw new InvalidOperationException($"{value.GetType()} is not a time."),
    };

    [Fact]
    public async Task It_has_the_columns_that_people_know_in_their_order()
    {
        await using var connection = await Database.ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "select * from worker_jobs";
        await using var reader = await command.ExecuteReaderAsync(Stop);
        Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ShouldBe(Columns);
    }

    [Fact]
    public async Task A_pending_job_is_one_row_that_has_not_started()
    {
        var job = Some.Job(tag: "t", delay: Some.Minute);
        await SubmitAsync(job);
        (await RowsAsync(id: job.Id)).ShouldBe([new(job.Id, 1, "send", "t", Some.Noon + Some.Minute, null, null, null, null, "scheduled", null, null)]);
    }

    [Fact]
    public async Task A_running_job_is_one_row_that_started_when_it_was_claimed()
    {
        var node = await NodeAsync();
        var job = Some.Job();
        await SubmitAsync(job);
        Clock.Advance(Some.Second);
        await node.ClaimOneAsync();
        var row = (await RowsAsync(id: job.Id)).ShouldHaveSingleItem();
        (row.IsRunning, row.Started, row.State).ShouldBe((true, Some.Noon + Some.Second, "running"));
    }

    [Fact]
    public async Task A_job_that_succeeded_shows_its_result_and_when_the_handler_really_started()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        Clock.Advance(2 * Some.Second);
        await node.EndAsync(node.End(claim, Outcome.Succeeded) with { Started = Some.Noon + Some.Second, Result = """{"sum":3}""", RemoveAfter = Some.Minute });
        (await RowsAsync(id: claim.JobId)).ShouldBe([
            new(claim.JobId, 1, "send", null, Some.Noon, Some.Noon + Some.Second, Some.Noon + 2 * Some.Second, true, """{"sum":3}""", "succeeded", Some.Noon + Some.Minute + 2 * Some.Second, null),
        ]);
    }

    [Fact]
    public async Task A_failed_attempt_is_a_row_with_its_error_and_the_job_is_pending_in_another()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node, Some.Job(tag: "t"));
        await node.EndAsync(node.End(claim, Outcome.Failed, Some.Minute) with { Error = "It \"failed\"." });

        var rows = await RowsAsync(id: claim.JobId);

        rows.Length.ShouldBe(2);
        (rows[0].Attempt, rows[0].Success, rows[0].State).ShouldBe((1, false, "failed"));
        System.Text.Json.JsonDocument.Parse(rows[0].Result!).RootElement.GetProperty("error").GetString().ShouldBe("It \"failed\".");
        (rows[1].Attempt, rows[1].IsPending, rows[1].Due, rows[1].RescheduledFrom).ShouldBe((2, true, Some.Noon + Some.Minute, claim.JobId));
    }

    [Theory]
    [InlineData(Outcome.Snoozed)]
    [InlineData(Outcome.Released)]
    public async Task A_run_that_was_not_charged_is_no_row(Outcome outcome)
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await node.EndAsync(claim, outcome, Some.Second);
        (await RowsAsync(id: claim.JobId)).ShouldHaveSingleItem().IsPending.ShouldBeTrue();
    }

    [Fact]
    public async Task A_job_cancelled_while_pending_appears_once_with_started_equal_to_finished()
    {
        var job = Some.Job();
        await SubmitAsync(job);
        Clock.Advance(Some.Second);
        await Store.CancelAsync(job.Id, null, null, Stop);
        var row = (await RowsAsync(id: job.Id)).ShouldHaveSingleItem();
        (row.Started, row.Finished, row.Success, row.State).ShouldBe((Some.Noon + Some.Second, Some.Noon + Some.Second, null, "cancelled"));
    }

    [Fact]
    public async Task A_job_in_quarantine_counts_as_pending()
    {
        var dead = await NodeAsync();
        var claim = await RunningAsync(dead);
        await dead.DieAsync();
        await (await NodeAsync()).SweepAsync(Some.Quarantine);
        var rows = await RowsAsync(id: claim.JobId);
        rows.Count(row => row.IsPending).ShouldBe(1);
        rows.Count(row => row.Success == false && row.State == "interrupted").ShouldBe(1);
    }

    [Fact]
    public async Task A_run_that_has_ended_but_is_still_listed_by_its_lease_is_shown_once_as_ended()
    {
        var node = await NodeAsync();
        await SubmitAllAsync(Some.Jobs(2));
        var claims = await node.ClaimAsync(2);
        await node.EndAsync(claims[0], Outcome.Succeeded);
        (await RowsAsync(id: claims[0].JobId)).ShouldHaveSingleItem().State.ShouldBe("succeeded");
        (await RowsAsync(id: claims[1].JobId)).ShouldHaveSingleItem().State.ShouldBe("running");
    }

    [Fact]
    public async Task An_active_schedule_is_one_row_whose_due_is_its_next_tick()
    {
        await Store.PutScheduleAsync(Some.Schedule("nightly"), null, null, Stop);
        var row = (await RowsAsync("cron_schedule is not null")).ShouldHaveSingleItem();
        (row.Type, row.Tag, row.Due, row.IsPending).ShouldBe(("report", "nightly", Some.Noon + Some.Minute, true));
    }

    [Fact]
    public async Task The_look_up_for_deduplication_finds_what_is_pending_and_nothing_else()
    {
        const string sql = "SELECT * FROM worker_jobs WHERE tag = 'sync-user-42' AND started IS NULL LIMIT 1;";
        var node = await NodeAsync();
        await SubmitAsync(Some.Job(tag: "sync-user-41"));
        var claim = await RunningAsync(node, Some.Job(tag: "sync-user-42", queue: "mail"));
        (await Database.QueryAsync(sql)).ShouldBeEmpty("it runs");
        await node.EndAsync(claim, Outcome.Failed, Some.Minute);
        Number((await Database.QueryAsync(sql)).ShouldHaveSingleItem()[0]).ShouldBe(claim.JobId);
        await Store.CancelAsync(claim.JobId, null, null, Stop);
        (await Database.QueryAsync(sql)).ShouldBeEmpty("it was cancelled");
    }

    [Fact]
    public async Task Recent_failures_are_found_newest_first()
    {
        var node = await NodeAsync();
        var ids = new List<long>();
        for (var i = 0; i < 25; i++)
        {
            var claim = await RunningAsync(node, Some.Job(tag: $"t{i}"));
            Clock.Advance(Some.Second);
            node.Beat();
            await node.EndAsync(claim, i % 5 == 0 ? Outcome.Succeeded : Outcome.Discarded);
            ids.Add(claim.JobId);
        }
        var rows = await Database.QueryAsync("SELECT type, tag, result, finished FROM worker_jobs WHERE success = false ORDER BY finished DESC LIMIT 20;");
        rows.Select(row => (string?)row[1]).ShouldBe(Enumerable.Range(0, 25).Reverse().Where(i => i % 5 != 0).Select(i => $"t{i}"));
        rows.ShouldAllBe(row => ((string)row[2]!).Contains("Oops"));
    }
}
