using System.Data;
using System.Data.Common;
using Millrace.Storage;
using Npgsql;

namespace Millrace.Postgres;

internal sealed partial class PostgresStore
{
    // Expired is not dead: only who was buried has lost anything, and burying asks for the beat that was seen, so one of the two comes too
    // late. A database that was away for longer than the expiry would otherwise cost every result that waits for it.
    private const string RenewNode = """
        update millrace.node
        set beat = beat + 1, expires_at = coalesce(@now, clock_timestamp()) + @expiry * interval '1 microsecond', cpu = @cpu, memory = @memory, pool_queue = @pool_queue
        where id = @id
            and dead_at is null
        returning beat
        """;

    public IHeartbeat OpenHeartbeat(Guid node, TimeSpan expiry) => new Heartbeat(this, node, expiry);

    // Synchronous throughout, on one thread: a starved thread pool must not be able to delay it.
    private sealed class Heartbeat(PostgresStore store, Guid node, TimeSpan expiry) : IHeartbeat
    {
        private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(200);

        // Touched by the thread that beats alone.
        private readonly HashSet<string> rung = new(StringComparer.Ordinal);
        private NpgsqlConnection? connection;
        private bool isListening;

        // Set by any thread.
        private readonly ManualResetEventSlim interrupted = new();

        public bool Beat(ProcessLoad? load = null) => Guarded("beat", () =>
        {
            using var command = new NpgsqlCommand(store.Sql(RenewNode), Open()) { CommandTimeout = (int)Math.Ceiling(store.options.BeatTimeout.TotalSeconds) };
            command.Parameters.Add(store.Now());
            command.Parameters.Add(Uuid("id", node));
            command.Parameters.Add(Long("expiry", expiry.Ticks / TimeSpan.TicksPerMicrosecond));
            command.Parameters.Add(Double("cpu", load?.Cpu));
            command.Parameters.Add(Long("memory", load?.Memory));
            command.Parameters.Add(Long("pool_queue", load?.PoolQueue));
            return command.ExecuteScalar() is not null;
        });

        public IReadOnlyCollection<string> Wait(TimeSpan timeout)
        {
            var time = TimeProvider.System;
            var begin = time.GetTimestamp();
            while (rung.Count == 0 && !interrupted.IsSet)
            {
                var left = timeout - time.GetElapsedTime(begin);
                if (left <= TimeSpan.Zero)
                    break;
                var slice = left < Slice ? left : Slice;
                if (store.HasBell)
                    // Npgsql counts whole milliseconds, and zero of them is for ever: the last part of one is rounded up.
                    Guarded("wait for the bell", () => Listen().Wait((int)Math.Ceiling(slice.TotalMilliseconds)));
                else if (interrupted.Wait(left))
                    break;
            }

            interrupted.Reset();
            string[] queues = [.. rung];
            rung.Clear();
            return queues;
        }

        public void Interrupt() => interrupted.Set();

        public void Dispose() => Drop();

        private NpgsqlConnection Listen()
        {
            var open = Open();
            if (isListening)
                return open;
            using var listen = new NpgsqlCommand($"listen \"{store.bell}\"", open);
            listen.ExecuteNonQuery();
            isListening = true;
            return open;
        }

        private NpgsqlConnection Open()
        {
            if (connection is { FullState: ConnectionState.Open })
                return connection;
            Drop();
            var fresh = store.BeatSource().CreateConnection();
            try
            {
                fresh.Open();
            }
            catch
            {
                fresh.Dispose();
                throw;
            }

            fresh.Notification += OnRing;
            connection = fresh;
            return fresh;
        }

        private void OnRing(object sender, NpgsqlNotificationEventArgs ring)
        {
            if (ring.Channel == store.bell)
                rung.Add(ring.Payload);
        }

        // After a failure the next beat opens a new connection, so that what the server still holds of the old one does not matter.
        private T Guarded<T>(string task, Func<T> action)
        {
            try
            {
                return action();
            }
            catch (Exception exception) when (exception is DbException or IOException or TimeoutException or InvalidOperationException)
            {
                Drop();
                throw store.Translate(exception, task, commitIsInFlight: false)
                    ?? new StoreException(StoreFault.Unavailable, $"{store.Name}: could not {task}. {exception.Message}", exception);
            }
        }

        private void Drop()
        {
            isListening = false;
            if (connection is null)
                return;
            var old = connection;
            connection = null;
            old.Notification -= OnRing;
            try
            {
                old.Dispose();
            }
            catch (Exception exception) when (exception is DbException or IOException or InvalidOperationException)
            {
                // It is broken; there is nothing left to close.
            }
        }
    }
}
