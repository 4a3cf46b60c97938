using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace Millrace.System.Tests;

/// <summary>
/// Stands between a process and PostgreSQL and does to them what a network does: it delays, falls silent without a word to either side, cuts, and loses the answer to a commit.
/// </summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly Socket listener;
    private readonly EndPoint server;
    private readonly Random random;
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly ConcurrentDictionary<Link, byte> links = new();
    private readonly ConcurrentQueue<TimeSpan> attempts = new();
    private readonly CancellationTokenSource stop = new();
    private readonly Task accepting;
    private readonly Gate gate = new();

    // Guarded by random.
    private int commits;
    private int lostAnswers;

    private TcpProxy(NpgsqlConnectionStringBuilder settings, IPAddress address, int seed)
    {
        server = new IPEndPoint(IPAddress.Parse(settings.Host!), settings.Port);
        random = new Random(seed);
        listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address, 0));
        listener.Listen(512);
        settings.Host = address.ToString();
        settings.Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        // Or a connection that fails is tried twice, with encryption and without: a server that is not there would have refused the first.
        settings.SslMode = SslMode.Disable;
        ConnectionString = settings.ConnectionString;
        accepting = AcceptAsync();
    }

    /// <param name="connectionString">Of the server itself.</param>
    /// <param name="at">Where to listen; null for the loopback address.</param>
    /// <param name="seed">Chooses the commits whose answers are lost.</param>
    public static TcpProxy Start(string connectionString, IPAddress? at = null, int seed = 1) =>
        new(new NpgsqlConnectionStringBuilder(connectionString), at ?? IPAddress.Loopback, seed);

    /// <summary>Leads through the proxy.</summary>
    public string ConnectionString { get; }

    /// <summary>How long each piece takes, in each direction.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>The share of commits that reach the server and whose answer is lost with the connection.</summary>
    public double LostAnswers { get; set; }

    /// <summary>Cuts a connection whose client sends this text, before it gets through; null for none.</summary>
    public string? CutAt { get; set; }

    /// <summary>How many commits have passed, and how many of them the server has carried out without the client being told.</summary>
    public (int Seen, int Lost) Commits
    {
        get
        {
            lock (random)
                return (commits, lostAnswers);
        }
    }

    /// <summary>When somebody connected, since the start.</summary>
    public IReadOnlyCollection<TimeSpan> Attempts => attempts;

    public TimeSpan Now => clock.Elapsed;

    /// <summary>Nothing passes any more, and nobody is told: what comes is kept until <see cref="Thaw"/>. Who connects meanwhile is not answered.</summary>
    public void Freeze() => gate.Close();

    public void Thaw() => gate.Open();

    /// <summary>The same for ever, for the connections that are open now and call themselves so.</summary>
    /// <returns>How many there were.</returns>
    public int FreezeOpen(string application)
    {
        var mine = links.Keys.Where(link => link.Application == application).ToList();
        foreach (var link in mine)
            link.Gate.Close();
        return mine.Count;
    }

    /// <summary>Resets all connections.</summary>
    public void Cut()
    {
        foreach (var link in links.Keys)
            link.Cut();
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        gate.Open();
        Cut();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await listener.AcceptAsync(stop.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            attempts.Enqueue(clock.Elapsed);
            client.NoDelay = true;
            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var upstream = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var link = new Link(client, upstream);
        links.TryAdd(link, 0);
        try
        {
            await upstream.ConnectAsync(server, stop.Token);
            await Task.WhenAny(FromClientAsync(link), FromServerAsync(link));
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Nobody listens: the client is told so by the reset.
        }
        await link.Gate.PassAsync();
        await gate.PassAsync();
        link.Cut();
        links.TryRemove(link, out _);
    }

    private async Task FromClientAsync(Link link)
    {
        var talk = new Frontend();
        await PumpAsync(link, link.Client, async piece =>
        {
            talk.Read(piece.Span);
            link.Application = talk.Application;
            // Decided before the piece goes on: the answer may be back before we are.
            if (talk.TakeCommits() > 0 && IsToBeLost())
                link.IsLosing = true;
            if (CutAt is { } text && piece.Span.IndexOf(Encoding.UTF8.GetBytes(text)) >= 0)
                return false;
            await link.Server.SendAsync(piece);
            return true;
        });
    }

    private Task FromServerAsync(Link link) => PumpAsync(link, link.Server, async piece =>
    {
        if (!link.IsLosing)
        {
            await link.Client.SendAsync(piece);
            return true;
        }
        link.WasCommitted |= piece.Span.IndexOf("COMMIT\0"u8) >= 0;
        // "Ready for query", outside of a transaction: the commit is answered.
        if (piece.Length < 6 || !piece.Span[^6..^1].SequenceEqual("Z\0\0\0\u0005"u8) || piece.Span[^1] != 'I')
            return true;
        if (link.WasCommitted)
        {
            lock (random)
                lostAnswers++;
        }
        return false;
    });

    private async Task PumpAsync(Link link, Socket from, Func<ReadOnlyMemory<byte>, Task<bool>> send)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, stop.Token) is var count && count > 0)
            {
                if (Delay > TimeSpan.Zero)
                    await Task.Delay(Delay, TimeProvider.System, stop.Token);
                await link.Gate.PassAsync();
                await gate.PassAsync();
                if (!await send(buffer.AsMemory(0, count)))
                    return;
            }
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One side is gone: so is the link.
        }
    }

    private bool IsToBeLost()
    {
        lock (random)
        {
            commits++;
            return LostAnswers > 0 && random.NextDouble() < LostAnswers;
        }
    }

    private sealed class Link(Socket client, Socket server)
    {
        public Socket Client => client;

        public Socket Server => server;

        public Gate Gate { get; } = new();

        public volatile string? Application;

        public volatile bool IsLosing;

        public bool WasCommitted { get; set; }

        /// <summary>A reset, as from a host that knows nothing of the connection.</summary>
        public void Cut()
        {
            Gate.Open();
            foreach (var socket in new[] { client, server })
            {
                try
                {
                    socket.LingerState = new LingerOption(true, 0);
                }
                catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
                {
                    // It was never connected, or is closed already.
                }
                socket.Dispose();
            }
        }
    }

    private sealed class Gate
    {
        private volatile TaskCompletionSource? closed;

        public Task PassAsync() => closed?.Task ?? Task.CompletedTask;

        public void Close() => closed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Open()
        {
            var waiting = closed;
            closed = null;
            waiting?.TrySetResult();
        }
    }
}
