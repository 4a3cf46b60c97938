namespace Millrace.Storage.Tests;

/// <summary>Events whose ids become visible in another order than they were given. On SQLite one writer at a time makes that impossible.</summary>
public abstract class LateEventContract(PostgresDatabase database) : EventContract(database)
{
    [Fact]
    public async Task An_id_that_becomes_visible_late_is_not_passed_by()
    {
        await HoldUpAsync("slow");
        var gate = await Database.ConnectAsync();
        await using (gate)
        {
            await TestDatabase.QueryAsync(gate, null, "select pg_advisory_lock(4711)");
            await Store.RaiseAsync([Notification("first")], Stop);
            var slow = OpenStore().RaiseAsync([Notification("slow")], Stop);
            await SettleAsync(slow);
            slow.IsCompleted.ShouldBeFalse();
            await OpenStore().RaiseAsync([Notification("fast")], Stop);

            var page = await Store.ReadEventsAsync(0, [42], All, Stop);
            page.Events.Select(told => told.Message).ShouldBe(["first"]);
            page.HasMore.ShouldBeTrue();
            var again = await Store.ReadEventsAsync(page.Position, [42], All, Stop);
            (again.Events.Count, again.Position, again.HasMore).ShouldBe((0, page.Position, true));

            await TestDatabase.QueryAsync(gate, null, "select pg_advisory_unlock(4711)");
            await slow;
            var rest = await Store.ReadEventsAsync(page.Position, [42], All, Stop);
            rest.Events.Select(told => told.Message).ShouldBe(["slow", "fast"]);
            rest.HasMore.ShouldBeFalse();
        }
    }

    [Fact]
    public async Task An_id_that_never_becomes_visible_holds_nobody_up()
    {
        await HoldUpAsync("slow", andFail: true);
        await Should.ThrowAsync<StoreException>(() => Store.RaiseAsync([Notification("slow")], Stop));
        await Store.RaiseAsync([Notification("next")], Stop);
        var page = await Store.ReadEventsAsync(0, [42], All, Stop);
        page.Events.ShouldHaveSingleItem().Message.ShouldBe("next");
        page.HasMore.ShouldBeFalse();
    }

    /// <summary>A row with this message waits for the lock 4711 after it has got its id, and may then be refused.</summary>
    private Task HoldUpAsync(string message, bool andFail = false) => Database.QueryAsync($"""
        create function hold_up() returns trigger language plpgsql as $$
        begin
            perform set_config('lock_timeout', '0', true);
            perform pg_advisory_xact_lock_shared(4711);
            {(andFail ? "raise exception 'refused';" : "")}
            return new;
        end $$;
        create trigger hold_up before insert on millrace.event for each row when (new.message = '{message}') execute function hold_up()
        """);
}
