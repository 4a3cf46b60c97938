using Microsoft.Extensions.DependencyInjection;
using Millrace.Storage;
using Millrace.Submitting;
using Millrace.Working;

namespace Millrace.Tests.Submitting;

/// <summary>What a tool has that knows only a database: no handlers, no workers, no started host.</summary>
public sealed class ToolTests
{
    private static readonly Author ann = new("ann", "code");

    [Fact]
    public async Task Without_workers_and_without_a_started_host_a_tool_reads_changes_and_submits()
    {
        using var folder = new TestFolder();
        long id;
        await using (var server = await TestHost.StartAsync(m => m.AddJob<Hello>((_, _) => Task.CompletedTask).AddWorkers(), folder: folder))
        {
            id = (await server.Jobs.SubmitAsync(new Hello("a"), new JobOptions { Tag = "t", UserId = 7, Headers = new Dictionary<string, string> { ["culture"] = "de" }, MaxAttempts = 2 })).Id;
            await server.Jobs.WaitAsync(id, TestHost.Deadline);
        }

        using var tool = TestHost.Build(m => m.UseSqlite(folder.File("jobs.db")).Configure(o => o.SchemaChanges = SchemaChanges.Check));
        var store = tool.Services.GetRequiredKeyedService<IJobStore>("millrace");
        var instance = tool.Services.GetRequiredKeyedService<MillraceInstance>("millrace");
        await instance.EnsureReadyAsync(default);

        var detail = (await store.Inspection.FindAsync(id, default)).ShouldNotBeNull();
        (await store.Inspection.ReadTypesAsync(default)).Select(type => type.Description.Name).ShouldContain("hello");
        (await store.Operations.ChangeAsync(id, new JobChange(OperationKind.Delete), ann, null, default)).Result.ShouldBe(ChangeResult.Done);

        var copy = Rerun.Of(detail, """{"Name":"b"}""", instance.Writer);
        var answer = await instance.Submitter.SubmitAsync(copy, default);
        var stored = (await store.Inspection.FindAsync(answer.Id, default)).ShouldNotBeNull();
        (stored.Row.Type, stored.Row.Tag, stored.Row.UserId, stored.Row.Parent, stored.Key).ShouldBe(("hello", "t", 7, id, null));
        (stored.Record.Data, stored.Record.Headers, stored.Policy).ShouldBe(("""{"Name":"b"}""", detail.Record.Headers, detail.Policy));
        detail.Policy.ShouldNotBeNull();
        (await tool.Services.GetRequiredService<IJobClient>().SubmitNamedAsync("hello", "{}")).Outcome.ShouldBe(Submitted.Created);
    }

    [Fact]
    public async Task A_schedule_is_run_out_of_turn_with_its_template()
    {
        await using var host = await TestHost.StartAsync(_ => { });
        var instance = host.Services.GetRequiredKeyedService<MillraceInstance>("millrace");
        await host.Jobs.SubmitNamedAsync("report", """{"a":1}""", new JobOptions { Tag = "nightly", CronSchedule = "0 0 2 * * *", Persistent = true });
        var schedule = (await instance.Store.Inspection.ReadSchedulesAsync(default)).Single(one => one.Schedule.Name == "nightly").Schedule;

        var job = ScheduleRun.Of(schedule, await instance.Submitter.NextIdAsync(default));
        var answer = await instance.Store.Operations.RunScheduleAsync("nightly", job, ann, default);

        answer!.Value.Id.ShouldBe(job.Id);
        var stored = (await instance.Store.Inspection.ReadScheduleRunsAsync("nightly", 10, default)).ShouldHaveSingleItem();
        (stored.Id, stored.Type, stored.Tag).ShouldBe((job.Id, "report", "nightly"));
        (await instance.Store.Inspection.ReadSchedulesAsync(default)).Single(one => one.Schedule.Name == "nightly").Schedule.NextDue.ShouldBe(schedule.NextDue);
    }

    [Fact]
    public void Data_that_cannot_be_stored_is_refused_with_its_place()
    {
        var options = new MillraceOptions();
        var types = new TypeRegistry([]);
        var writer = new JobWriter(options, types, new JobPolicies(options, types, new Dictionary<string, JobPolicy>()), new JobJson(options.Json));
        var row = new JobRow { Id = 17, Type = "hello", Queue = "mail", State = JobState.Succeeded, Due = default, Created = default, Data = "{}" };
        var detail = new JobDetail { Row = row, Version = "x", Record = new JobRecord { Id = 17, Type = "hello", Queue = "mail", State = JobState.Succeeded, Due = default, Created = default, Data = "{}" } };

        Should.Throw<JobDataException>(() => Rerun.Of(detail, """{"a":"\u0000"}""", writer)).Path.ShouldBe("$.a");
        Should.Throw<JobDataException>(() => Rerun.Of(detail, "{", writer));
    }

    [Job("hello")]
    internal sealed record Hello(string Name);
}
