namespace Millrace.Storage.Tests;

public sealed class InspectionOnSqlite() : InspectionContract(new SqliteDatabase());

public sealed class InspectionOnPostgres() : InspectionContract(new PostgresDatabase());

public sealed class InspectionOnPgBouncer() : InspectionContract(new PgBouncerDatabase());

/// <summary>What people may look at.</summary>
public abstract class InspectionContract(TestDatabase database) : Contract(database)
{
    private static readonly Author Alice = new("alice", "code", "because");

    private IJobInspection Look => Store.Inspection;

    private async Task<IEnumerable<long>> ListAsync(params IFilterTerm[] terms) =>
        [.. (await Look.ListAsync(new JobListing { Filter = new JobFilter(terms), Limit = 200 }, Stop)).Jobs.Select(job => job.Id)];

    private async Task<JobDetail> DetailAsync(long id) => (await Look.FindAsync(id, Stop)).ShouldNotBeNull();

    private async Task DeleteAsync(long id) =>
        (await Store.Operations.ChangeAsync(id, new JobChange(OperationKind.Delete), Alice, null, Stop)).Result.ShouldBe(ChangeResult.Done);

    // ---- nothing there

    [Fact]
    public async Task An_empty_database_has_nothing_to_show()
    {
        (await Look.ListAsync(new JobListing(), Stop)).ShouldSatisfyAllConditions(page => page.Jobs.ShouldBeEmpty(), page => page.Next.ShouldBeNull(), page => page.IsPartial.ShouldBeFalse());
        (await Look.CountAsync(Stop)).ShouldSatisfyAllConditions(
            counts => counts.ByState.Values.ShouldAllBe(count => count == 0), counts => counts.ByState.Count.ShouldBe(9), counts => counts.OldestReady.ShouldBeNull(), counts => counts.Now.ShouldBe(Some.Noon));
        (await Look.CountMatchesAsync(new MatchQuery(JobFilter.All, OperationKind.Retry), Stop)).Count.ShouldBe(0);
        (await Look.ReadMatchesAsync(JobFilter.All, 0, long.MaxValue, 10, Stop)).ShouldSatisfyAllConditions(page => page.Ids.ShouldBeEmpty(), page => page.Next.ShouldBeNull());
        (await Look.FindAsync(4711, Stop)).ShouldBeNull();
        (await Look.ReadFactsAsync(4711, Stop)).ShouldBeNull();
        (await Look.ReadAttemptsAsync(4711, Stop)).ShouldBeEmpty();
        (await Look.ReadLogAsync(4711, 0, 0, 10, Stop)).ShouldBeEmpty();
        (await Look.ReadQueuesAsync(Stop)).ShouldBeEmpty();
        (await Look.ReadSchedulesAsync(Stop)).ShouldBeEmpty();
        (await Look.ReadScheduleRunsAsync("nightly", 10, Stop)).ShouldBeEmpty();
        (await Look.ReadWorkersAsync(Stop)).ShouldBeEmpty();
        (await Look.ReadTypesAsync(Stop)).ShouldBeEmpty();
        (await Look.ReadFailuresAsync(Some.Noon, 10, Stop)).ShouldBeEmpty();
        (await Look.ReadOperationsAsync(long.MaxValue, null, 10, Stop)).ShouldBeEmpty();
        (await Look.FindOperationAsync(4711, Stop)).ShouldBeNull();
        (await Look.ReadStatsAsync(new StatQuery { From = Some.Noon, To = Some.Noon.AddHours(1), Step = Some.Minute }, Stop)).ShouldBeEmpty();
        (await Look.ReadClockAsync(Stop)).ShouldBe(Some.Noon);
    }

    // ---- lists

    [Fact]
    public async Task Jobs_are_listed_newest_first_page_by_page()
    {
        var jobs = Some.Jobs(25);
        await SubmitAllAsync(jobs);
        var (listed, before) = (new List<long>(), (long?)null);
        do
        {
            var page = await Look.ListAsync(new JobListing { BeforeId = before, Limit = 10 }, Stop);
            page.IsPartial.ShouldBeFalse();
            listed.AddRange(page.Jobs.Select(job => job.Id));
            before = page.Next;
        }
        while (before is not null);
        listed.ShouldBe(jobs.Select(job => job.Id).OrderDescending());
    }

    [Theory]
    [InlineData(24, 10, 3)]
    [InlineData(20, 10, 2)]
    [InlineData(1, 1, 1)]
    public async Task A_full_last_page_has_no_next(int count, int limit, int pages)
    {
        await SubmitAllAsync(Some.Jobs(count));
        long? before = null;
        for (var i = 1; i <= pages; i++)
        {
            var page = await Look.ListAsync(new JobListing { BeforeId = before, Limit = limit }, Stop);
            (page.Next is null).ShouldBe(i == pages);
            before = page.Next;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(201)]
    public async Task A_page_has_1_to_200_jobs(int limit) =>
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => Look.ListAsync(new JobListing { Limit = limit }, Stop));

    [Fact]
    public async Task A_list_is_narrow_whatever_a_job_carries()
    {
        var node = await NodeAsync();
        var job = Some.Job(data: $"\"{new string('x', 50_000)}\"");
        await node.EndAsync(node.End(await RunningAsync(node, job), Outcome.Discarded) with { Error = new string('e', 5_000) });
        var row = (await Look.ListAsync(new JobListing(), Stop)).Jobs.ShouldHaveSingleItem();
        row.Data.Length.ShouldBe(2_000);
        row.Error!.Length.ShouldBe(500);
        var detail = await DetailAsync(job.Id);
        detail.Record.Data.Length.ShouldBe(50_002);
        detail.Record.Error!.Length.ShouldBe(5_000);
    }

    // ---- states

    private async Task<Dictionary<StateSet, long>> OneJobInEveryStateAsync()
    {
        var node = await NodeAsync("send");
        var doomed = await NodeAsync("send");
        var poison = await RunningAsync(doomed);
        await doomed.DieAsync();
        await node.SweepAsync(Some.Quarantine);
        var ended = new List<Claim>();
        for (var i = 0; i < 5; i++)
            ended.Add(await RunningAsync(node));
        await node.EndAsync(ended[0], Outcome.Succeeded);
        await node.EndAsync(ended[1], Outcome.Discarded);
        await node.EndAsync(ended[2], Outcome.Cancelled);
        await node.EndAsync(ended[3], Outcome.Failed, again: Some.Minute);
        var (ready, scheduled, waiting) = (Some.Job(), Some.Job(delay: Some.Minute), Some.Job("rare"));
        await SubmitAllAsync(ready, scheduled, waiting);
        await Store.TidyAsync(Stop);
        return new()
        {
            [StateSet.Ready] = ready.Id, [StateSet.Scheduled] = scheduled.Id, [StateSet.Retrying] = ended[3].JobId, [StateSet.Waiting] = waiting.Id, [StateSet.Quarantined] = poison.JobId,
            [StateSet.Running] = ended[4].JobId, [StateSet.Succeeded] = ended[0].JobId, [StateSet.Discarded] = ended[1].JobId, [StateSet.Cancelled] = ended[2].JobId,
        };
    }

    [Fact]
    public async Task Every_state_can_be_asked_for_and_be_left_out()
    {
        var expected = await OneJobInEveryStateAsync();
        foreach (var (state, id) in expected)
        {
            (await ListAsync(new StateTerm(state))).ShouldBe([id], $"{state}");
            (await ListAsync(new StateTerm(state, IsNot: true))).ShouldBe(expected.Values.Where(other => other != id).OrderDescending(), $"not {state}");
            var detail = await DetailAsync(id);
            JobChanges.StateOf(detail.Row.State, detail.Row.WaitsFor, detail.Row.Attempt).ShouldBe(state);
            detail.Version.ShouldBe(JobChanges.VersionOf(state, detail.Row.Run, detail.Row.Priority));
            detail.Record.State.ShouldBe((await FindAsync(id)).State);
        }

        (await ListAsync(new StateTerm(StateSet.Ready | StateSet.Discarded | StateSet.Quarantined)))
            .ShouldBe(new[] { expected[StateSet.Ready], expected[StateSet.Discarded], expected[StateSet.Quarantined] }.OrderDescending());
        (await ListAsync(new StateTerm(StateSet.Ready), new StateTerm(StateSet.Scheduled))).ShouldBeEmpty();
        (await ListAsync(new StateTerm(JobChanges.AllStates))).Count().ShouldBe(9);
        (await ListAsync(new StateTerm(JobChanges.AllStates, IsNot: true))).ShouldBeEmpty();
    }

    [Fact]
    public async Task Live_states_are_counted_and_finished_ones_come_from_the_roll_ups()
    {
        await OneJobInEveryStateAsync();
        await Store.SaveStatsAsync(
            [Stat(Outcome.Succeeded, 7), Stat(Outcome.Discarded, 3), Stat(Outcome.Cancelled, 2), Stat(Outcome.Replaced, 1), Stat(Outcome.Failed, 50), Stat(Outcome.Succeeded, 90, Clock.GetUtcNow().AddDays(-2))], Stop);
        var counts = await Look.CountAsync(Stop);
        counts.ByState.ShouldBe(new Dictionary<StateSet, long>
        {
            [StateSet.Ready] = 1, [StateSet.Scheduled] = 1, [StateSet.Retrying] = 1, [StateSet.Waiting] = 1, [StateSet.Quarantined] = 1, [StateSet.Running] = 1,
            [StateSet.Succeeded] = 7, [StateSet.Discarded] = 3, [StateSet.Cancelled] = 3,
        }, ignoreOrder: true);
        counts.OldestReady.ShouldBe(Clock.GetUtcNow());
        counts.Now.ShouldBe(Clock.GetUtcNow());
    }

    private StatRow Stat(Outcome outcome, long count, DateTimeOffset? bucket = null, string queue = "default") => new()
    {
        Bucket = bucket ?? Minute(Clock.GetUtcNow()), Node = Guid.NewGuid(), Queue = queue, Type = "send", Outcome = outcome, Count = count, Wait = new Histogram(), Run = new Histogram(),
    };

    private static DateTimeOffset Minute(DateTimeOffset time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerMinute, TimeSpan.Zero);

    // ---- filters

    private static readonly string[] Hostile =
    [
        "'; drop table millrace.job; --", "100%", "a_b", "aXb", @"back\slash", "*", "\"quoted\"", "Ünïcødé", "ÜNÏCØDÉ", "select", "{}", "$1", "@v0", "@order", "{order}", "millrace.job", "", " ", "😀", "%", "_", @"\", "MiXeD",
    ];

    /// <summary>Jobs that differ in everything a filter can ask for.</summary>
    private async Task<List<JobDetail>> VariedJobsAsync()
    {
        var node = await NodeAsync("send", "report");
        var parent = Some.Job("report", tag: "a_b", queue: "mail");
        var jobs = new List<NewJob> { parent };
        for (var i = 0; i < Hostile.Length; i++)
        {
            var text = Hostile[i];
            jobs.Add(Some.Job(i % 2 == 0 ? "send" : "report", tag: text.Length == 0 ? null : text, queue: i % 3 == 0 ? "mail" : "default", priority: (short)(i - 3), delay: i % 5 == 4 ? i * Some.Minute : default) with
            {
                UserId = i % 4, Parent = i % 4 == 1 ? parent.Id : null, Schedule = i % 4 == 2 ? text : null,
                Data = System.Text.Json.JsonSerializer.Serialize(new { text, number = i, flag = i % 2 == 0, nested = new { items = new object?[] { text, i, null } } }),
            });
        }

        await SubmitAllAsync([.. jobs]);
        foreach (var queue in new[] { "default", "mail" })
        {
            var claims = await node.ClaimAsync(8, queue);
            Clock.Advance(Some.Minute);
            node.Beat();
            foreach (var (claim, i) in claims.Select((claim, i) => (claim, i)))
            {
                var text = Hostile[(i * 5 + queue.Length) % Hostile.Length];
                if (i < 6)
                    await node.EndAsync(node.End(claim, (Outcome[])[Outcome.Succeeded, Outcome.Discarded, Outcome.Failed, Outcome.Cancelled, Outcome.Snoozed, Outcome.Released] is var all ? all[i] : default, again: i * Some.Second) with
                    {
                        Error = i is 1 or 2 or 3 ? $"TimeoutException: {text}" : null,
                    });
            }
        }

        var ids = (await Look.ListAsync(new JobListing { Limit = 200 }, Stop)).Jobs.Select(job => job.Id).ToList();
        ids.Count.ShouldBe(jobs.Count);
        var details = new List<JobDetail>();
        foreach (var id in ids)
            details.Add(await DetailAsync(id));
        return details;
    }

    private static bool Matches(string? value, TextMatch match, string wanted) => value is not null && match switch
    {
        TextMatch.Exact => value == wanted,
        TextMatch.Contains => Lower(value).Contains(Lower(wanted), StringComparison.Ordinal),
        _ => System.Text.RegularExpressions.Regex.IsMatch(value, "\\A" + System.Text.RegularExpressions.Regex.Escape(wanted).Replace("\\*", "(.|\\n)*", StringComparison.Ordinal) + "\\z"),
    };

    private static string Lower(string text) => string.Concat(text.Select(letter => char.IsAsciiLetterUpper(letter) ? char.ToLowerInvariant(letter) : letter));

    [Fact]
    public async Task Every_text_can_be_compared_in_every_way()
    {
        var jobs = await VariedJobsAsync();
        var nodeId = jobs.Select(job => job.Row.Node).First(id => id is not null)!.Value.ToString();
        var found = 0;
        foreach (var (field, values) in new (TextField, Func<JobDetail, IEnumerable<string?>>)[]
                 {
                     (TextField.Type, job => [job.Row.Type]), (TextField.Queue, job => [job.Row.Queue]), (TextField.Tag, job => [job.Row.Tag]), (TextField.Schedule, job => [job.Row.Schedule]),
                     (TextField.Error, job => [job.Record.Error]), (TextField.Worker, job => [job.Row.Node?.ToString(), job.NodeName]),
                     (TextField.Outcome, job => [job.Row.LastOutcome?.ToWord()]),
                 })
        {
            foreach (var wanted in Hostile.Concat(["send", "SEND", "se*", "*e*", "de*lt", "mail", "test:1", "test:*", "failed", "TimeoutException*", "timeoutexception", "a*b", "*\\*", nodeId, nodeId[..8] + "*"]))
            {
                foreach (var match in Enum.GetValues<TextMatch>())
                {
                    foreach (var isNot in new[] { false, true })
                    {
                        var expected = jobs.Where(job => values(job).Any(value => Matches(value, match, wanted)) != isNot).Select(job => job.Row.Id);
                        var listed = await ListAsync(new TextTerm(field, match, [wanted], isNot));
                        listed.ShouldBe(expected, $"{(isNot ? "not " : "")}{field} {match} {wanted}");
                        found += listed.Count();
                    }
                }
            }
        }

        found.ShouldBeGreaterThan(1000);
    }

    [Fact]
    public async Task Several_values_are_alternatives_and_several_terms_must_all_hold()
    {
        var jobs = await VariedJobsAsync();
        (await ListAsync(new TextTerm(TextField.Tag, TextMatch.Exact, ["100%", "a_b", "nowhere"])))
            .ShouldBe(jobs.Where(job => job.Row.Tag is "100%" or "a_b").Select(job => job.Row.Id));
        (await ListAsync(new TextTerm(TextField.Tag, TextMatch.Pattern, ["1*", "*b"]), new TextTerm(TextField.Type, TextMatch.Exact, ["report"]), new NumberTerm(NumberField.User, 1, 3)))
            .ShouldBe(jobs.Where(job => job.Row.Tag is { } tag && (tag.StartsWith('1') || tag.EndsWith('b')) && job.Row.Type == "report" && job.Row.UserId is >= 1 and <= 3).Select(job => job.Row.Id));
        (await ListAsync(new TextTerm(TextField.Schedule, TextMatch.Exact, ["a_b", "%"]), new StateTerm(StateSet.Ready | StateSet.Scheduled | StateSet.Retrying)))
            .ShouldBe(jobs.Where(job => job.Row.Schedule is "a_b" or "%" && job.Row.State is JobState.Ready or JobState.Scheduled && job.Row.Schedule is "a_b" or "%").Where(job => job.Row.State is JobState.Ready or JobState.Scheduled).Select(job => job.Row.Id));
    }

    [Theory]
    [InlineData("nul\0")]
    [InlineData("lone\ud800")]
    [InlineData("\udc00")]
    public async Task A_text_that_cannot_be_stored_matches_nothing_and_fails_nothing(string hostile)
    {
        await SubmitAsync(Some.Job(tag: "t"));
        foreach (var match in Enum.GetValues<TextMatch>())
        {
            foreach (var field in Enum.GetValues<TextField>())
            {
                (await ListAsync(new TextTerm(field, match, [hostile]))).ShouldBeEmpty();
                (await ListAsync(new TextTerm(field, match, [hostile], IsNot: true))).Count().ShouldBe(1);
            }

            (await ListAsync(new TextTerm(TextField.Tag, match, [hostile, "t"]))).Count().ShouldBe(1);
            (await ListAsync(new DataTerm(["a"], match, hostile))).ShouldBeEmpty();
            (await ListAsync(new DataTerm([hostile], match, "a"))).ShouldBeEmpty();
            (await ListAsync(new DataTerm([hostile], match, "a", IsNot: true))).Count().ShouldBe(1);
        }

        (await Look.ReadScheduleRunsAsync(hostile, 10, Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_number_has_ranges()
    {
        var jobs = await VariedJobsAsync();
        foreach (var (field, value) in new (NumberField, Func<JobDetail, long?>)[]
                 {
                     (NumberField.Id, job => job.Row.Id), (NumberField.User, job => job.Row.UserId), (NumberField.Priority, job => job.Row.Priority), (NumberField.Attempt, job => job.Row.Attempt),
                     (NumberField.Parent, job => job.Row.Parent),
                 })
        {
            var middle = jobs.Select(value).Where(number => number is not null).Order().Skip(1).First();
            foreach (var (from, to) in new (long?, long?)[] { (middle, middle), (middle, null), (null, middle), (middle + 1, middle + 3), (middle, middle - 1), (null, null), (long.MinValue, long.MaxValue), (long.MaxValue, null), (null, long.MinValue) })
            {
                foreach (var isNot in new[] { false, true })
                {
                    var expected = jobs.Where(job => (value(job) is { } number && number >= (from ?? long.MinValue) && number <= (to ?? long.MaxValue)) != isNot).Select(job => job.Row.Id);
                    (await ListAsync(new NumberTerm(field, from, to, isNot))).ShouldBe(expected, $"{(isNot ? "not " : "")}{field} {from}..{to}");
                }
            }
        }
    }

    [Fact]
    public async Task Every_time_has_ranges()
    {
        var jobs = await VariedJobsAsync();
        foreach (var (field, value) in new (TimeField, Func<JobDetail, DateTimeOffset?>)[]
                 {
                     (TimeField.Created, job => job.Row.Created), (TimeField.Due, job => job.Row.Due), (TimeField.Started, job => job.Row.Started), (TimeField.Finished, job => job.Row.Finished),
                 })
        {
            var middle = jobs.Select(value).Where(time => time is not null).Order().Skip(1).First();
            foreach (var (from, to) in new (DateTimeOffset?, DateTimeOffset?)[] { (middle, middle), (middle + Some.Second, null), (null, middle), (null, null), (DateTimeOffset.MinValue, DateTimeOffset.MaxValue), (Some.Noon.ToOffset(TimeSpan.FromHours(5)), Some.Noon + Some.Minute) })
            {
                foreach (var isNot in new[] { false, true })
                {
                    var expected = jobs.Where(job => (value(job) is { } time && time >= (from ?? DateTimeOffset.MinValue) && time <= (to ?? DateTimeOffset.MaxValue)) != isNot).Select(job => job.Row.Id);
                    (await ListAsync(new TimeTerm(field, from, to, isNot))).ShouldBe(expected, $"{(isNot ? "not " : "")}{field} {from}..{to}");
                }
            }
        }
    }

    [Fact]
    public async Task A_member_of_the_data_can_be_asked_for()
    {
        var jobs = await VariedJobsAsync();
        foreach (var wanted in Hostile.Concat(["3", "*e*", "true", "send"]))
        {
            foreach (var match in Enum.GetValues<TextMatch>())
            {
                foreach (var (path, member) in new (string[], Func<System.Text.Json.JsonElement, string?>)[]
                         {
                             (["text"], data => data.GetProperty("text").GetString()), (["nested", "items", "0"], data => data.GetProperty("nested").GetProperty("items")[0].GetString()),
                             (["number"], data => data.GetProperty("number").GetRawText()), (["flag"], data => data.GetProperty("flag").GetRawText()),
                             (["nested", "items", "2"], _ => null), (["nowhere"], _ => null), (["text", "deeper"], _ => null),
                         })
                {
                    bool IsMatch(JobDetail job) => job.Record.Data != "{}" && Matches(member(System.Text.Json.JsonDocument.Parse(job.Record.Data).RootElement), match, wanted);
                    var name = $"{string.Join('.', path)} {match} {wanted}";
                    (await ListAsync(new DataTerm(path, match, wanted))).ShouldBe(jobs.Where(IsMatch).Select(job => job.Row.Id), name);
                    (await ListAsync(new DataTerm(path, match, wanted, IsNot: true))).ShouldBe(jobs.Where(job => !IsMatch(job)).Select(job => job.Row.Id), "not " + name);
                }
            }
        }
    }

    [Theory]
    [InlineData("$")]
    [InlineData("a.b")]
    [InlineData("$.a[0]")]
    [InlineData("a'b")]
    [InlineData("\"")]
    [InlineData("{a,b}")]
    [InlineData("")]
    [InlineData("back\\slash")]
    [InlineData("#-1")]
    [InlineData("-1")]
    [InlineData("99999999999999999999")]
    [InlineData("ключ")]
    public async Task A_name_in_a_path_is_a_name_whatever_it_looks_like(string name)
    {
        var job = Some.Job(data: System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, string> { [name] = "here" }));
        await SubmitAllAsync(job, Some.Job(data: "[[\"here\"]]"), Some.Job(data: "\"here\""), Some.Job(data: "{\"a\":{\"b\":\"here\"}}"));
        (await ListAsync(new DataTerm([name], TextMatch.Exact, "here"))).ShouldBe([job.Id]);
        (await ListAsync(new DataTerm([name], TextMatch.Exact, "here", IsNot: true))).Count().ShouldBe(3);
    }

    [Theory]
    [InlineData("{\"a\":")]
    [InlineData("")]
    [InlineData("not json at all")]
    [InlineData("{\"a\":\"\\u0000\"}")]
    [InlineData("{\"a\":\"\\ud800\"}")]
    public async Task A_row_whose_data_is_not_as_it_should_be_fails_no_search(string broken)
    {
        var (bad, good) = (Some.Job(), Some.Job(data: "{\"a\":\"x\"}"));
        await SubmitAllAsync(bad, good);
        await Database.QueryAsync($"update {Database.Table("job")} set data = @data where id = @id", ("data", broken), ("id", bad.Id));
        (await ListAsync(new DataTerm(["a"], TextMatch.Exact, "x"))).ShouldBe([good.Id]);
        (await ListAsync(new DataTerm(["a"], TextMatch.Contains, "x"))).ShouldBe([good.Id]);
        (await ListAsync(new DataTerm(["a"], TextMatch.Exact, "y", IsNot: true))).ShouldBe([good.Id, bad.Id]);
    }

    // ---- changes of many

    [Fact]
    public async Task Ids_that_match_are_read_in_their_order_page_by_page()
    {
        var jobs = Some.Jobs(25);
        await SubmitAllAsync([.. jobs, .. Some.Jobs(5, "report")]);
        var (read, after) = (new List<long>(), (long?)0);
        while (after is { } id)
        {
            var page = await Look.ReadMatchesAsync(new JobFilter([new TextTerm(TextField.Type, TextMatch.Exact, ["send"])]), id, jobs[20].Id, 10, Stop);
            page.Ids.Count.ShouldBeLessThanOrEqualTo(10);
            read.AddRange(page.Ids);
            after = page.Next;
        }

        read.ShouldBe(jobs.Take(21).Select(job => job.Id));
    }

    [Fact]
    public async Task A_preview_tells_what_a_change_would_touch_and_what_it_would_leave()
    {
        var states = await OneJobInEveryStateAsync();
        foreach (var kind in new[] { OperationKind.Retry, OperationKind.Cancel, OperationKind.Delete, OperationKind.RunNow, OperationKind.Reprioritise })
        {
            var allowed = states.Where(pair => JobChanges.Allowed(kind).HasFlag(pair.Key)).ToDictionary();
            var preview = await Look.CountMatchesAsync(new MatchQuery(JobFilter.All, kind), Stop);
            preview.Count.ShouldBe(allowed.Count, $"{kind}");
            preview.Skipped.ShouldBe(9 - allowed.Count, $"{kind}");
            preview.ByState.ShouldBe(allowed.ToDictionary(pair => pair.Key, _ => 1L), ignoreOrder: true);
            preview.ByQueue.ShouldBe(new Dictionary<string, long> { ["default"] = allowed.Count });
            preview.ByType.Values.Sum().ShouldBe(allowed.Count);
            preview.Samples.Count.ShouldBe(Math.Min(5, allowed.Count));
            preview.Samples.ShouldAllBe(job => allowed.Values.Contains(job.Id));
            preview.UpToId.ShouldBe(states.Values.Max());
            preview.IsCapped.ShouldBeFalse();
        }

        (await Look.CountMatchesAsync(new MatchQuery(JobFilter.All, OperationKind.Delete) { UpToId = states.Values.Min() }, Stop)).ShouldSatisfyAllConditions(
            preview => (preview.Count + preview.Skipped).ShouldBe(1), preview => preview.UpToId.ShouldBe(states.Values.Min()));
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => Look.CountMatchesAsync(new MatchQuery(JobFilter.All, OperationKind.Drain), Stop));
    }

    [Fact]
    public async Task A_count_whose_time_is_up_says_where_to_go_on()
    {
        await SubmitAllAsync([.. Some.Jobs(1_500), .. Some.Jobs(1_000, "report")]);
        var (query, counts) = (new MatchQuery(JobFilter.All, OperationKind.Cancel) { Patience = TimeSpan.Zero }, new List<MatchCount>());
        do
        {
            counts.Add(await Look.CountMatchesAsync(query, Stop));
            query = query with { AfterId = counts[^1].Next ?? 0, UpToId = counts[^1].UpToId };
        }
        while (counts[^1].Next is not null);

        counts.Count.ShouldBeGreaterThan(1);
        counts.Sum(count => count.Count).ShouldBe(2_500);
        counts.Sum(count => count.ByType.GetValueOrDefault("report")).ShouldBe(1_000);
        counts[..^1].ShouldAllBe(count => count.IsCapped);
        counts[^1].IsCapped.ShouldBeFalse();
    }

    [Fact]
    public async Task A_count_stops_at_as_many_as_it_may()
    {
        await SubmitAllAsync(Some.Jobs(30));
        var count = await Look.CountMatchesAsync(new MatchQuery(JobFilter.All, OperationKind.Cancel) { Most = 20 }, Stop);
        count.Count.ShouldBe(20);
        count.IsCapped.ShouldBeTrue();
        count.Next.ShouldBeNull();
    }

    [Fact]
    public async Task A_search_whose_time_is_up_can_be_gone_on_with()
    {
        var rare = Some.Job("report");
        await SubmitAllAsync([rare, .. Some.Jobs(1_500)]);
        var (listing, found) = (new JobListing { Filter = new JobFilter([new TextTerm(TextField.Type, TextMatch.Exact, ["report"])]), Patience = TimeSpan.Zero }, new List<long>());
        for (var pages = 0; ; pages++)
        {
            var page = await Look.ListAsync(listing, Stop);
            page.IsPartial.ShouldBe(page.Next is not null);
            found.AddRange(page.Jobs.Select(job => job.Id));
            if (page.Next is null)
            {
                pages.ShouldBeGreaterThan(0);
                break;
            }

            listing = listing with { BeforeId = page.Next };
        }

        found.ShouldBe([rare.Id]);
    }

    [Fact]
    public async Task Rows_are_read_by_their_ids()
    {
        var states = await OneJobInEveryStateAsync();
        var rows = await Look.ReadRowsAsync([.. states.Values, 999_999_999, states.Values.Max()], Stop);
        rows.Select(row => row.Id).ShouldBe(states.Values.Order());
        foreach (var row in rows)
            JobChanges.StateOf(row.State, row.WaitsFor, row.Attempt).ShouldBe(states.Single(pair => pair.Value == row.Id).Key);
        (await Look.ReadRowsAsync([], Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_deleted_job_is_in_no_list_and_can_still_be_found()
    {
        var node = await NodeAsync();
        var (pending, kept) = (Some.Job() with { Schedule = "nightly" }, Some.Job() with { Schedule = "nightly" });
        var failed = await RunningAsync(node);
        await node.EndAsync(failed, Outcome.Discarded);
        await SubmitAllAsync(pending with { Parent = failed.JobId }, kept with { Parent = failed.JobId });
        await DeleteAsync(pending.Id);
        await DeleteAsync(failed.JobId);

        (await ListAsync()).ShouldBe([kept.Id]);
        foreach (var term in new IFilterTerm[] { new StateTerm(JobChanges.AllStates), new StateTerm(StateSet.Discarded, IsNot: true), new NumberTerm(NumberField.Parent, failed.JobId, failed.JobId), new TextTerm(TextField.Schedule, TextMatch.Exact, ["nightly"]) })
            (await ListAsync(term)).ShouldBe([kept.Id]);
        (await ListAsync(new StateTerm(StateSet.Discarded | StateSet.Cancelled))).ShouldBeEmpty();
        (await Look.ReadMatchesAsync(JobFilter.All, 0, long.MaxValue, 10, Stop)).Ids.ShouldBe([kept.Id]);
        (await Look.CountMatchesAsync(new MatchQuery(JobFilter.All, OperationKind.Retry), Stop)).ShouldSatisfyAllConditions(preview => preview.Count.ShouldBe(0), preview => preview.Skipped.ShouldBe(1));
        (await Look.ReadScheduleRunsAsync("nightly", 10, Stop)).Select(job => job.Id).ShouldBe([kept.Id]);
        (await Look.ReadFailuresAsync(Some.Noon, 10, Stop)).ShouldBeEmpty();

        var detail = await DetailAsync(failed.JobId);
        detail.Row.DeletedBy.ShouldNotBeNull();
        detail.RemoveAt.ShouldNotBeNull();
        detail.Children.Select(job => job.Id).ShouldBe([kept.Id]);
        (await DetailAsync(kept.Id)).Row.DeletedBy.ShouldBeNull();
    }

    // ---- one job

    [Fact]
    public async Task A_job_is_found_with_all_that_is_known_of_it()
    {
        var node = await NodeAsync();
        var job = Some.Job("send", queue: "mail", priority: 7, data: "{\"to\":1}", key: Some.Key("k")) with
        {
            UserId = 42, Policy = "{\"maxAttempts\":5}", Headers = "{\"h\":\"v\"}", Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Schedule = "nightly", Parent = 7,
        };
        var claim = await RunningAsync(node, job);
        await Store.SaveProgressAsync(job.Id, 1, 37.5, "half", Stop);
        await SubmitAllAsync(Some.Job() with { Parent = job.Id }, Some.Job());
        await Store.CancelAsync(job.Id, "bob", "too slow", Stop);

        var detail = await DetailAsync(job.Id);
        detail.Row.ShouldBe(new JobRow
        {
            Id = job.Id, Type = "send", Tag = "k", UserId = 42, Queue = "mail", Priority = 7, State = JobState.Running, Run = 1, Attempt = 1, Due = Some.Noon, Created = Some.Noon, Started = Some.Noon,
            Data = "{\"to\":1}", Schedule = "nightly", Parent = 7, Node = node.Id, Progress = 37.5,
        });
        detail.Record.ShouldSatisfyAllConditions(
            record => record.Data.ShouldBe("{\"to\":1}"), record => record.Headers.ShouldBe("{\"h\":\"v\"}"), record => record.Progress.ShouldBe(37.5), record => record.ProgressMessage.ShouldBe("half"),
            record => record.Id.ShouldBe(job.Id), record => record.State.ShouldBe(JobState.Running), record => record.Attempt.ShouldBe(1));
        detail.Version.ShouldBe("running.1.7");
        (detail.Policy, detail.Trace, detail.Key, detail.RemoveAt, detail.NodeName).ShouldBe((job.Policy, job.Trace, "k", null, "test:1"));
        detail.CancelRequest.ShouldBe(new CancelRequest(job.Id, "bob", "too slow"));
        detail.Children.ShouldHaveSingleItem().Parent.ShouldBe(job.Id);

        Clock.Advance(Some.Second);
        await node.EndAsync(node.End(claim, Outcome.Succeeded) with { Result = "{\"ok\":true}" });
        detail = await DetailAsync(job.Id);
        (detail.Row.State, detail.Row.Started, detail.Row.Finished, detail.Row.LastOutcome, detail.Row.Node, detail.Row.Progress, detail.Row.Priority, detail.Version)
            .ShouldBe((JobState.Succeeded, Clock.GetUtcNow(), Clock.GetUtcNow(), Outcome.Succeeded, node.Id, null, (short)7, "succeeded.1.7"));
        (detail.Record.Result, detail.RemoveAt, detail.CancelRequest).ShouldBe(("{\"ok\":true}", Clock.GetUtcNow() + Some.Minute, null));
    }

    [Fact]
    public async Task A_job_that_will_run_again_tells_of_its_last_run_and_of_the_next()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await node.EndAsync(claim, Outcome.Failed, again: Some.Minute);
        (await DetailAsync(claim.JobId)).Row.ShouldSatisfyAllConditions(
            row => row.State.ShouldBe(JobState.Scheduled), row => row.Run.ShouldBe(2), row => row.Attempt.ShouldBe(2), row => row.Due.ShouldBe(Some.Noon + Some.Minute), row => row.Started.ShouldBe(Some.Noon),
            row => row.Finished.ShouldBe(Some.Noon), row => row.LastOutcome.ShouldBe(Outcome.Failed), row => row.Error.ShouldBe("Oops"), row => row.Node.ShouldBe(node.Id));
    }

    [Fact]
    public async Task Attempts_and_log_lines_are_read_in_their_order()
    {
        var node = await NodeAsync();
        var claim = await RunningAsync(node);
        await Store.SaveLogAsync([.. Enumerable.Range(1, 5).Select(line => Some.Line(claim, line, $"line {line}"))], Stop);
        await node.EndAsync(claim, Outcome.Failed);
        var again = await node.ClaimOneAsync();
        await Store.SaveLogAsync([Some.Line(again, 1, "again")], Stop);
        await node.EndAsync(again, Outcome.Succeeded);

        (await Look.ReadAttemptsAsync(claim.JobId, Stop)).ShouldBe(await Store.ReadAttemptsAsync(claim.JobId, Stop));
        (await Look.ReadLogAsync(claim.JobId, 0, 0, 3, Stop)).Select(line => line.Message).ShouldBe(["line 1", "line 2", "line 3"]);
        (await Look.ReadLogAsync(claim.JobId, 1, 3, 10, Stop)).Select(line => line.Message).ShouldBe(["line 4", "line 5", "again"]);
        (await Look.ReadLogAsync(claim.JobId, 2, 1, 10, Stop)).ShouldBeEmpty();
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => Look.ReadLogAsync(1, 0, 0, 1001, Stop));
    }

    [Fact]
    public async Task The_facts_about_a_ready_job_tell_who_could_claim_it_and_who_stands_before_it()
    {
        var node = await NodeAsync("send");
        var other = await NodeAsync("report");
        await SubmitAllAsync(Some.Jobs(3));
        Clock.Advance(Some.Second);
        var job = Some.Job(key: Some.Key("k"));
        await SubmitAllAsync(job, Some.Job(priority: -1), Some.Job(priority: 1), Some.Job(queue: "mail"));
        await Store.Operations.DrainAsync(node.Id, true, Alice, Stop);
        await Store.Operations.PauseQueueAsync("default", true, Some.Noon.AddHours(1), Alice, Stop);
        await Store.SaveStatsAsync([Stat(Outcome.Succeeded, 15), Stat(Outcome.Failed, 10), Stat(Outcome.Failed, 99, queue: "mail"), Stat(Outcome.Failed, 99, Some.Noon.AddMinutes(-6))], Stop);

        var facts = (await Look.ReadFactsAsync(job.Id, Stop)).ShouldNotBeNull();
        facts.Job.Row.Id.ShouldBe(job.Id);
        facts.Now.ShouldBe(Clock.GetUtcNow());
        facts.QueuePause.ShouldBe(new Pause(Clock.GetUtcNow(), "alice", "because", Some.Noon.AddHours(1)));
        facts.Claimers.ShouldBe([new NodeFact(node.Id, "test:1", true)]);
        (facts.NodesOfQueue, facts.NodesOfType, facts.Ahead, facts.IsSuspect, facts.EndsPerMinute, facts.Lease, facts.KeyHolder).ShouldBe((2, 1, 4, false, 5.0, null, null));
        facts.KnownTypes.ShouldBe(["report", "send"], ignoreOrder: true);

        // A pause whose time is over is none, and a node whose time is over claims nothing.
        Clock.Advance(TimeSpan.FromHours(2));
        other.Beat();
        facts = (await Look.ReadFactsAsync(job.Id, Stop)).ShouldNotBeNull();
        facts.QueuePause.ShouldBeNull();
    }

    [Fact]
    public async Task The_facts_about_a_running_job_tell_its_lease_and_about_a_key_its_holder()
    {
        var node = await NodeAsync();
        var finished = await RunningAsync(node, Some.Job(key: Some.Key("k")));
        await node.EndAsync(finished, Outcome.Succeeded);
        var claim = await RunningAsync(node, Some.Job(key: Some.Key("k")));
        var facts = (await Look.ReadFactsAsync(claim.JobId, Stop)).ShouldNotBeNull();
        facts.Lease.ShouldNotBeNull().ShouldSatisfyAllConditions(
            lease => lease.Node.ShouldBe(node.Id), lease => lease.NodeName.ShouldBe("test:1"), lease => lease.Claimed.ShouldBe(Some.Noon), lease => lease.IsAlive.ShouldBeTrue());
        facts.KeyHolder.ShouldBeNull();
        (await Look.ReadFactsAsync(finished.JobId, Stop)).ShouldNotBeNull().KeyHolder.ShouldBe(claim.JobId);
    }

    // ---- what runs the jobs

    [Fact]
    public async Task Queues_are_those_with_jobs_those_that_are_paused_and_those_that_are_worked_on()
    {
        var node = await NodeAsync("send");
        await RunningAsync(node, Some.Job(queue: "mail"));
        await SubmitAllAsync(Some.Job(queue: "a"), Some.Job(queue: "a", delay: Some.Minute), Some.Job("rare", queue: "b"));
        await Store.TidyAsync(Stop);
        Clock.Advance(Some.Second);
        await SubmitAsync(Some.Job(queue: "a"));
        await Store.Operations.PauseQueueAsync("c", true, null, Alice, Stop);
        await Store.Operations.PauseQueueAsync("over", true, Clock.GetUtcNow(), Alice, Stop);
        await Store.SaveStatsAsync([Stat(Outcome.Succeeded, 10, queue: "a"), Stat(Outcome.Discarded, 5, queue: "a"), Stat(Outcome.Interrupted, 4, Some.Noon.AddMinutes(-30), "a")], Stop);

        (await Look.ReadQueuesAsync(Stop)).ShouldBe(
        [
            new QueueRecord { Name = "a", Ready = 2, OldestReady = Some.Noon, Scheduled = 1, EndsPerMinute = 3, ArrivalsPerMinute = 3.4, FailedLastHour = 9 },
            new QueueRecord { Name = "b", Waiting = 1 },
            new QueueRecord { Name = "c", Pause = new Pause(Clock.GetUtcNow(), "alice", "because", null) },
            new QueueRecord { Name = "default", Nodes = 1 },
            new QueueRecord { Name = "mail", Running = 1, ArrivalsPerMinute = 0.2, Nodes = 1 },
        ]);
        await Store.Operations.DrainAsync(node.Id, true, Alice, Stop);
        (await Look.ReadQueuesAsync(Stop)).ShouldContain(new QueueRecord { Name = "default", Nodes = 0 });
    }

    [Fact]
    public async Task Schedules_are_read_with_their_owners_their_pause_and_their_runs()
    {
        var node = await NodeAsync("report");
        await Store.PutScheduleAsync(Some.Schedule("b", isPersistent: false), node.Id, null, Stop);
        await Store.PutScheduleAsync(Some.Schedule("a"), null, null, Stop);
        await Store.Operations.PauseScheduleAsync("a", true, null, Alice, Stop);
        var schedules = await Look.ReadSchedulesAsync(Stop);
        schedules.Select(one => (one.Schedule.Name, one.Owners, one.Created)).ShouldBe([("a", 0, Some.Noon), ("b", 1, Some.Noon)]);
        schedules[0].Schedule.Pause.ShouldBe(new Pause(Some.Noon, "alice", "because", null));
        schedules[1].Schedule.Pause.ShouldBeNull();
        schedules[1].Schedule.NextDue.ShouldBe(Some.Noon + Some.Minute);

        var runs = Enumerable.Range(0, 5).Select(_ => Some.Job("report") with { Schedule = "a" }).ToArray();
        await SubmitAllAsync([.. runs, Some.Job("report") with { Schedule = "b" }]);
        (await Look.ReadScheduleRunsAsync("a", 3, Stop)).Select(job => job.Id).ShouldBe(runs.Select(job => job.Id).OrderDescending().Take(3));
    }

    [Fact]
    public async Task Nodes_are_shown_with_what_they_run_and_an_hour_longer_than_they_live()
    {
        var node = await NodeAsync("send");
        Clock.Advance(Some.Second);
        var doomed = await NodeAsync("report");
        await SubmitAllAsync(Some.Jobs(3));
        var claims = await node.ClaimAsync(3);
        await Store.SaveProgressAsync(claims[0].JobId, 1, 10, null, Stop);
        await node.EndAsync(claims[2], Outcome.Succeeded);
        await Store.Operations.DrainAsync(node.Id, true, Alice, Stop);
        await Store.SetIdleAsync(doomed.Id, true, Stop);

        var workers = await Look.ReadWorkersAsync(Stop);
        workers.Select(worker => worker.Id).ShouldBe([node.Id, doomed.Id]);
        var worker = workers[0];
        (worker.Name, worker.Kind, worker.Server, worker.Started, worker.IsAlive, worker.Died, worker.IsIdle, worker.RunningCount).ShouldBe(("test:1", NodeKind.Server, null, Some.Noon, true, null, false, 2));
        worker.Queues.ShouldBe(["default", "mail"]);
        worker.Types.ShouldBe(["send"]);
        worker.Drain.ShouldBe(new Pause(Clock.GetUtcNow(), "alice", "because", null));
        worker.Running.ShouldBe(
            [new RunningRow(claims[0].JobId, "send", 1, Clock.GetUtcNow(), 10), new RunningRow(claims[1].JobId, "send", 1, Clock.GetUtcNow(), null)], ignoreOrder: true);
        (workers[1].IsIdle, workers[1].RunningCount, workers[1].Running.Count).ShouldBe((true, 0, 0));

        await doomed.Store.LeaveAsync(doomed.Id, Stop);
        var left = Clock.GetUtcNow();
        (await Look.ReadWorkersAsync(Stop))[1].ShouldSatisfyAllConditions(one => one.IsAlive.ShouldBeFalse(), one => one.Died.ShouldBe(left));
        node.LiveFor(TimeSpan.FromMinutes(61));
        (await Look.ReadWorkersAsync(Stop)).Select(one => one.Id).ShouldBe([node.Id]);
    }

    [Fact]
    public async Task Living_nodes_with_the_same_settings_are_one()
    {
        var (one, two, other, silent) = (await NodeAsync(), await NodeAsync(), await NodeAsync(), await NodeAsync());
        const string Settings = """[{"name":"Workers.Concurrency","value":"10 \u0000","source":"default"}]""";
        (await Look.ReadSettingsAsync(Stop)).ShouldBeEmpty();
        foreach (var node in new[] { one, two })
            await node.Store.RegisterAsync(node.Row() with { Settings = Settings, Application = "Shop.Web" }, Stop);
        await other.Store.RegisterAsync(other.Row() with { Settings = "not JSON" }, Stop);
        silent.Beat();

        var settings = await Look.ReadSettingsAsync(Stop);

        settings.Select(group => (group.Application, group.Settings, group.Nodes)).ShouldBe([("Shop.Web", Settings, 2), (null, "not JSON", 1)]);
        settings[0].Names.ShouldBe([one.Row().Name, two.Row().Name], ignoreOrder: true);
        await other.Store.LeaveAsync(other.Id, Stop);
        (await Look.ReadSettingsAsync(Stop)).ShouldHaveSingleItem();
        Store.Settings.ShouldAllBe(setting => setting.Source == SettingSource.Default || setting.Name.Contains('.'));
    }

    [Fact]
    public async Task A_node_says_with_its_beat_how_busy_it_is_or_nothing()
    {
        var node = await NodeAsync();
        async Task<ProcessLoad?> LoadAsync() => (await Look.ReadWorkersAsync(Stop)).ShouldHaveSingleItem().Load;

        (await LoadAsync()).ShouldBeNull();
        node.Beat(new ProcessLoad(null, 300_000_000, 0)).ShouldBeTrue();
        (await LoadAsync()).ShouldBe(new ProcessLoad(null, 300_000_000, 0));
        node.Beat(new ProcessLoad(1.25, 5_000_000_000, 70_000)).ShouldBeTrue();
        (await LoadAsync()).ShouldBe(new ProcessLoad(1.25, 5_000_000_000, 70_000));
        node.Beat().ShouldBeTrue();
        (await LoadAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task The_catalogue_keeps_what_the_latest_process_registered()
    {
        var send = new TypeDescription
        {
            Name = "send", Aliases = ["post", "mail \"it\""], Queue = "mail", MaxAttempts = 5, Timeout = TimeSpan.FromSeconds(90), Retry = "{\"kind\":\"fixed\"}", IsIsolated = true, Schema = "{\"type\":\"object\"}",
        };
        var node = await NodeAsync("send");
        await node.Store.RegisterAsync(node.Row() with { Catalogue = [send, new TypeDescription { Name = "another", Queue = "default", MaxAttempts = 1 }] }, Stop);
        Clock.Advance(Some.Minute);
        node.Beat();
        var types = await Look.ReadTypesAsync(Stop);
        types.Select(type => type.Description.Name).ShouldBe(["another", "send"]);
        var type = types[1];
        type.Description.Aliases.ShouldBe(send.Aliases);
        (type.Description with { Aliases = [] }).ShouldBe(send with { Aliases = [] });
        (type.FirstSeen, type.LastSeen, type.Nodes).ShouldBe((Some.Noon, Some.Noon, 1));
        type.Queues.ShouldBe(["default", "mail"]);
        (types[0].Nodes, types[0].Queues.Count, types[0].Description.Timeout, types[0].Description.Schema).ShouldBe((0, 0, null, null));

        // The same again within the hour writes nothing; a change does, and so does the hour.
        await node.Store.RegisterAsync(node.Row() with { Catalogue = [send] }, Stop);
        (await Look.ReadTypesAsync(Stop))[1].LastSeen.ShouldBe(Some.Noon);
        await node.Store.RegisterAsync(node.Row() with { Catalogue = [send with { MaxAttempts = 6 }] }, Stop);
        (await Look.ReadTypesAsync(Stop))[1].ShouldSatisfyAllConditions(
            one => one.LastSeen.ShouldBe(Some.Noon + Some.Minute), one => one.FirstSeen.ShouldBe(Some.Noon), one => one.Description.MaxAttempts.ShouldBe(6));
        node.LiveFor(TimeSpan.FromMinutes(61));
        await node.Store.RegisterAsync(node.Row() with { Catalogue = [send with { MaxAttempts = 6 }] }, Stop);
        (await Look.ReadTypesAsync(Stop))[1].LastSeen.ShouldBe(Clock.GetUtcNow());
    }

    [Fact]
    public async Task Failures_are_the_newest_ends_without_success()
    {
        var node = await NodeAsync();
        await node.EndAsync(await RunningAsync(node), Outcome.Discarded);
        Clock.Advance(Some.Second);
        await node.EndAsync(await RunningAsync(node), Outcome.Succeeded);
        var tagged = await RunningAsync(node, Some.Job("report", tag: "t"));
        await node.EndAsync(node.End(tagged, Outcome.Failed, again: Some.Minute) with { Error = new string('e', 5_000) });
        var failures = await Look.ReadFailuresAsync(Some.Noon, 10, Stop);
        failures.Select(one => (one.Outcome, one.Type, one.Tag, one.Run, one.Attempt, one.Finished)).ShouldBe(
            [(Outcome.Failed, "report", "t", 1, 1, Some.Noon + Some.Second), (Outcome.Discarded, "send", null, 1, 1, Some.Noon)]);
        failures[0].Error.Length.ShouldBe(2_000);
        (await Look.ReadFailuresAsync(Some.Noon, 1, Stop)).ShouldHaveSingleItem().JobId.ShouldBe(tagged.JobId);
        (await Look.ReadFailuresAsync(Some.Noon + Some.Second, 10, Stop)).ShouldHaveSingleItem();
    }

    // ---- the rest

    [Fact]
    public async Task The_pulse_changes_with_every_change()
    {
        var pulses = new HashSet<string> { await Look.ReadPulseAsync(Stop) };
        await SubmitAsync(Some.Job());
        pulses.Add(await Look.ReadPulseAsync(Stop)).ShouldBeTrue("a submission");
        var node = await NodeAsync();
        pulses.Add(await Look.ReadPulseAsync(Stop)).ShouldBeTrue("a node");
        var claim = await node.ClaimOneAsync();
        pulses.Add(await Look.ReadPulseAsync(Stop)).ShouldBeTrue("a claim");
        await node.EndAsync(claim, Outcome.Succeeded);
        pulses.Add(await Look.ReadPulseAsync(Stop)).ShouldBeTrue("an end");
    }

    [Fact]
    public async Task Operations_are_read_newest_first_also_those_that_touched_one_job()
    {
        var jobs = Some.Jobs(2);
        await SubmitAllAsync(jobs);
        var first = await Store.Operations.RecordAsync(OperationKind.Submit, Alice, "by hand", jobs[0].Id, "{}", Stop);
        var change = new JobChange(OperationKind.Cancel);
        var bulk = await Store.Operations.BeginAsync(change, new Author("bob", "cli"), "state:ready", 1, Stop);
        await Store.Operations.ApplyAsync(bulk, change, [jobs[1].Id], Stop);
        await Store.Operations.EndAsync(bulk, null, Stop);

        (await Look.ReadOperationsAsync(long.MaxValue, null, 10, Stop)).Select(one => one.Id).ShouldBe([bulk, first]);
        (await Look.ReadOperationsAsync(bulk, null, 10, Stop)).Select(one => one.Id).ShouldBe([first]);
        (await Look.ReadOperationsAsync(long.MaxValue, null, 1, Stop)).Select(one => one.Id).ShouldBe([bulk]);
        (await Look.ReadOperationsAsync(long.MaxValue, jobs[0].Id, 10, Stop)).Select(one => one.Id).ShouldBe([first]);
        (await Look.ReadOperationsAsync(long.MaxValue, jobs[1].Id, 10, Stop)).Select(one => one.Id).ShouldBe([bulk]);
        var record = (await Look.FindOperationAsync(bulk, Stop)).ShouldNotBeNull();
        (record.Kind, record.At, record.Author, record.Target, record.JobId, record.Expected, record.Done, record.Skipped, record.Ended, record.Error, record.UndoneBy)
            .ShouldBe((OperationKind.Cancel, Some.Noon, new Author("bob", "cli"), "state:ready", null, 1, 1, 0, Some.Noon, null, null));
        record.UndoUntil.ShouldBe(Some.Noon + IJobOperations.UndoWindow);
        (await Look.FindOperationAsync(first, Stop)).ShouldNotBeNull().ShouldSatisfyAllConditions(
            one => one.JobId.ShouldBe(jobs[0].Id), one => one.Author.ShouldBe(Alice), one => one.After.ShouldBe("{}"), one => one.UndoUntil.ShouldBeNull(), one => one.Ended.ShouldBe(Some.Noon));
    }

    [Fact]
    public async Task Looking_is_done_by_many_at_once()
    {
        await SubmitAllAsync(Some.Jobs(20));
        var looks = Enumerable.Range(0, 20).Select(_ => Look.ListAsync(new JobListing(), Stop));
        foreach (var page in await Task.WhenAll(looks))
            page.Jobs.Count.ShouldBe(20);
    }

    [Fact]
    public async Task A_cancelled_look_is_over_and_the_next_one_works()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => Look.ListAsync(new JobListing(), cancelled.Token));
        await Look.ListAsync(new JobListing(), Stop);
    }
}
