using Npgsql;

namespace Millrace.Bench.Contenders;

/// <summary>The least that keeps the same history: one statement in the server that deletes 500 from the line and appends their ends. No payload, no lease, no client.</summary>
internal sealed class BareStatements : IContender
{
    public string Name => "bare";

    public string Title => "bare statements in the server";

    public string Settings => "one connection, one statement for 500 jobs; no payload read, no lease";

    public string IsFinished => MillracePostgres.NothingIsLeft;

    public string CountSucceeded => MillracePostgres.CountAttempts;

    public string CountStored => MillracePostgres.CountJobs;

    public Task PrepareAsync(string database) => MillracePostgres.MakeTablesAsync(database);

    public async Task<ISubmitter> OpenSubmitterAsync(string database) => await RawCopy.OpenAsync(database);

    public async Task<IWorker> BuildWorkerAsync(string database)
    {
        var connection = new NpgsqlConnection($"{database};Pooling=false;Application Name=bare");
        await connection.OpenAsync();
        return new Loop(connection);
    }

    private sealed class Loop(NpgsqlConnection connection) : IWorker
    {
        private const string Turn = """
            with claimed as materialized (
                select ctid as place
                from millrace.ready
                where queue = 'default' and (priority, pass, id) > (0, @pass, @id)
                order by priority, pass, id
                limit 500
                for update skip locked
            ),
            taken as (
                delete from millrace.ready r
                where r.ctid = any(array(select place from claimed))
                returning r.id, r.run, r.attempt, r.type, r.pass
            ),
            ended as (
                insert into millrace.attempt (job_id, run, attempt, charged, type, started, finished, success, outcome, remove_at)
                select id, run, attempt, true, type, now(), now(), true, 'succeeded', now()
                from taken
            )
            select max(pass), max(id), count(*)
            from taken
            """;

        private Task drain = Task.CompletedTask;

        public Task StartAsync()
        {
            drain = DrainAsync();
            return Task.CompletedTask;
        }

        public Task StopAsync() => drain;

        public ValueTask DisposeAsync() => connection.DisposeAsync();

        private async Task DrainAsync()
        {
            await using var command = new NpgsqlCommand(Turn, connection);
            var pass = command.Parameters.AddWithValue("pass", 0L);
            var id = command.Parameters.AddWithValue("id", 0L);
            await command.PrepareAsync();
            while (true)
            {
                await using var reader = await command.ExecuteReaderAsync();
                await reader.ReadAsync();
                if (reader.IsDBNull(0))
                    return;
                // Within a batch that was submitted at once, pass is the same for all, so the largest of both is the last of them.
                pass.Value = reader.GetInt64(0);
                id.Value = reader.GetInt64(1);
                Arrivals.Ran((int)reader.GetInt64(2));
            }
        }
    }
}
