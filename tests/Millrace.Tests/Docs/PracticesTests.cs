using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Testing;

namespace Millrace.Tests.Docs;

/// <summary>The code of docs/practices.md that is not taken from the sample. Each practice is run here.</summary>
public sealed class PracticesTests
{
    [Fact]
    public async Task The_receipt_is_sent_once_over_all_attempts()
    {
        var shop = new Shop { FailsAfterCharging = true };
        await using var server = await JobTestServer.StartAsync(m => m.AddJob<ChargeOrderJob>(), services => services.AddSingleton(shop));

        (await server.RunAsync(new ChargeOrder(7))).ShouldHaveFailed<InvalidOperationException>();
        shop.FailsAfterCharging = false;
        await server.AdvanceAsync(TimeSpan.FromMinutes(1));

        shop.Charges.ShouldBe(1);
    }

    [Fact]
    public async Task A_user_hears_what_the_job_says()
    {
        await using var server = await JobTestServer.StartAsync(m => m.AddJob<ExportJob>());
        using var enough = new CancellationTokenSource();
        var events = server.Services.GetRequiredService<IJobEvents>();
        var position = await events.ReadPositionAsync(TestContext.Current.CancellationToken);
        (await server.RunAsync(new Export(), new JobOptions { UserId = 42 })).ShouldHaveSucceeded();

        var heard = new List<JobEventKind>();
        await Should.ThrowAsync<OperationCanceledException>(FollowAsync(events, position, enough.Token));

        heard.ShouldBe([JobEventKind.Progress, JobEventKind.Notification]);

        async Task FollowAsync(IJobEvents events, long position, CancellationToken cancellationToken)
        {
            await foreach (var told in events.SubscribeAsync(userId: 42, after: position, cancellationToken))
            {
                heard.Add(told.Kind);
                if (heard.Count == 2)
                    await enough.CancelAsync();
            }
        }
    }

    private static async Task ShowAsync(IJobEvents events, long position, CancellationToken cancellationToken)
    {
        await foreach (var told in events.SubscribeAsync(userId: 42, after: position, cancellationToken))
            Console.WriteLine($"{told.Kind} of job {told.JobId}: {told.Percent}% {told.Message}");
    }

    [Fact]
    public async Task Policies_are_set_where_the_job_is_registered()
    {
        await using var server = await JobTestServer.StartAsync(
            m => m
                .AddJob<SyncUserJob>(retry: RetryPolicy.After(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10))
                    .NeverOn<ArgumentException>()
                    .On<TimeoutException>(RetryPolicy.Every(TimeSpan.FromMinutes(5)))));

        (await server.RunAsync(new SyncUser(42, nameof(TimeoutException)))).ShouldRetryIn(TimeSpan.FromMinutes(5));
        (await server.RunAsync(new SyncUser(42, nameof(ArgumentException)))).ShouldHaveEndedAs(Outcome.Discarded);
        (await server.RunAsync(new SyncUser(42, nameof(IOException)))).ShouldRetryIn(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Money_is_moved_in_one_transaction()
    {
        await using var server = await JobTestServer.StartAsync(m => m.AddJob<TransferJob>());
        var database = server.Services.GetRequiredKeyedService<DbDataSource>("millrace");
        await database.WithTransactionAsync(async (transaction, _) =>
        {
            await ExecuteAsync(transaction, "create table account (id integer primary key, balance integer not null)");
            await ExecuteAsync(transaction, "insert into account values (1, 100), (2, 0)");
        });

        (await server.RunAsync(new Transfer(1, 2, 30))).ShouldHaveSucceeded();

        await database.WithTransactionAsync(async (transaction, _) => (await ReadAsync(transaction, "select balance from account where id = 2")).ShouldBe(30));
    }

    [Fact]
    public async Task Two_submissions_with_one_tag_are_one_job()
    {
        await using var server = await JobTestServer.StartAsync(m => m.AddJob<SyncUserJob>());
        var jobs = server.Jobs;

        var first = await jobs.SubmitAsync(new SyncUser(42), new JobOptions { Tag = "sync-user-42", WhenPending = WhenPending.Keep });
        var second = await jobs.SubmitAsync(new SyncUser(42), new JobOptions { Tag = "sync-user-42", WhenPending = WhenPending.Keep });
        // second.Outcome is Submitted.Kept, and second.Id == first.Id

        second.ShouldBe(new SubmitResult(first.Id, Submitted.Kept));
    }

    [Fact]
    public async Task A_schedule_ticks_at_eight_in_Berlin()
    {
        await using var server = await JobTestServer.StartAsync(m => m.AddJob<SyncUserJob>());
        var jobs = server.Jobs;

        await jobs.SubmitAsync(new SyncUser(42), new JobOptions
        {
            Tag = "sync-every-morning",
            CronSchedule = "0 0 8 * * 1-5",        // second, minute, hour, day, month, day of the week
            TimeZone = "Europe/Berlin",
            Persistent = true,
            MissedTicks = MissedTicks.Last,
        });

        (await server.AdvanceAsync(TimeSpan.FromDays(7))).Succeeded.ShouldBe(5);

        await jobs.CancelScheduleAsync("sync-every-morning");

        (await server.AdvanceAsync(TimeSpan.FromDays(7))).Runs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_finished_job_can_be_kept_for_longer()
    {
        await using var server = await JobTestServer.StartAsync(m => m.AddJob<SyncUserJob>());
        var jobs = server.Jobs;

        await jobs.SubmitAsync(new SyncUser(42), new JobOptions { RemoveDelay = TimeSpan.FromDays(30) });

        (await server.DrainAsync()).Succeeded.ShouldBe(1);
    }

    [Fact]
    public async Task A_pending_job_is_cancelled()
    {
        await using var server = await JobTestServer.StartAsync(m => m.AddJob<SyncUserJob>());
        var jobs = server.Jobs;
        var (id, _) = await jobs.SubmitAsync(new SyncUser(42), new JobOptions { Delay = TimeSpan.FromHours(1) });

        var answer = await jobs.CancelAsync(id, "The account was closed.");

        answer.ShouldBe(CancelResult.Cancelled);
    }

    [Fact]
    public async Task Welcome_mail_is_sent_again_after_a_failure()
    {
        var mailer = new Mailer { IsDown = true };
        await using var server = await JobTestServer.StartAsync(m => m.AddJob<WelcomeMailJob>(), services => services.AddSingleton(mailer));

        var run = await server.RunAsync(new WelcomeMail("ada@example.org"), new JobOptions { Tag = "welcome-ada", UserId = 42 });
        run.ShouldHaveFailed<IOException>();
        run.Log[0].Message.ShouldBe("Welcoming ada@example.org");

        mailer.IsDown = false;
        var report = await server.AdvanceAsync(TimeSpan.FromHours(1));   // no waiting: the clock moves, and what is due runs
        report.Succeeded.ShouldBe(1);
        mailer.Sent.ShouldBe(["ada@example.org"]);
    }

    [Fact]
    public async Task A_handler_can_be_called_directly()
    {
        var mailer = new Mailer();
        var job = TestJob.Context(new WelcomeMail("ada@example.org"), id: 1, userId: 42);

        await new WelcomeMailJob(mailer).RunAsync(job, CancellationToken.None);

        mailer.Sent.ShouldBe(["ada@example.org"]);
    }

    private static async Task ExecuteAsync(DbTransaction transaction, string sql)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> ReadAsync(DbTransaction transaction, string sql)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        return Convert.ToInt64(await command.ExecuteScalarAsync());
    }

    [Job("chargeOrder")]
    public sealed record ChargeOrder(long Order);

    public sealed class ChargeOrderJob(Shop shop) : IJob<ChargeOrder>
    {
        public async Task RunAsync(JobContext<ChargeOrder> job, CancellationToken cancellationToken)
        {
            var payment = await job.OnceAsync("charge", token => shop.ChargeAsync(job.Data.Order, token), cancellationToken);
            await shop.SendReceiptAsync(job.Data.Order, payment, cancellationToken);
        }
    }

    public sealed class Shop
    {
        public int Charges { get; private set; }

        public bool FailsAfterCharging { get; set; }

        public Task<string> ChargeAsync(long order, CancellationToken cancellationToken) => Task.FromResult($"payment {++Charges} of order {order}");

        public Task SendReceiptAsync(long order, string payment, CancellationToken cancellationToken) =>
            FailsAfterCharging ? throw new InvalidOperationException($"No receipt for order {order}, {payment}.") : Task.CompletedTask;
    }

    [Job("syncUser")]
    public sealed record SyncUser(long User, string? Fault = null);

    public sealed class SyncUserJob : IJob<SyncUser>
    {
        public Task RunAsync(JobContext<SyncUser> job, CancellationToken cancellationToken) => job.Data.Fault switch
        {
            null => Task.CompletedTask,
            nameof(TimeoutException) => throw new TimeoutException(),
            nameof(ArgumentException) => throw new ArgumentException("no such user"),
            _ => throw new IOException(),
        };
    }

    [Job("transfer")]
    public sealed record Transfer(long From, long To, long Amount);

    public sealed class TransferJob : IJob<Transfer>
    {
        public Task RunAsync(JobContext<Transfer> job, CancellationToken cancellationToken) =>
            job.CompleteInTransactionAsync(
                async (transaction, token) =>
                {
                    await MoveAsync(transaction, job.Data.From, -job.Data.Amount, token);
                    await MoveAsync(transaction, job.Data.To, job.Data.Amount, token);
                },
                cancellationToken);

        private static async Task MoveAsync(DbTransaction transaction, long account, long amount, CancellationToken cancellationToken)
        {
            await using var command = transaction.Connection!.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = "update account set balance = balance + @amount where id = @account";
            foreach (var (name, value) in new[] { ("@amount", amount), ("@account", account) })
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = name;
                parameter.Value = value;
                command.Parameters.Add(parameter);
            }

            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    [Job("welcomeMail")]
    public sealed record WelcomeMail(string Email);

    public sealed class WelcomeMailJob(Mailer mailer) : IJob<WelcomeMail>
    {
        public Task RunAsync(JobContext<WelcomeMail> job, CancellationToken cancellationToken)
        {
            job.Log.LogInformation("Welcoming {Email}", job.Data.Email);
            return mailer.SendAsync(job.Data.Email, cancellationToken);
        }
    }

    public sealed class Mailer
    {
        public bool IsDown { get; set; }

        public List<string> Sent { get; } = [];

        public Task SendAsync(string email, CancellationToken cancellationToken)
        {
            if (IsDown)
                throw new IOException("The mail server does not answer.");
            Sent.Add(email);
            return Task.CompletedTask;
        }
    }
}

/// <summary>Set-up code of the documentation: compiled, not run.</summary>
internal static class SetupOfTheDocs
{
    public static void OnPostgres(IServiceCollection services, string connectionString) =>
        services.AddMillrace(m => m
            .UsePostgres(connectionString, postgres => postgres.HandlerConnections = 10)
            .AddWorkers(workers => workers.Concurrency = 20));

    public static void InChildren(MillraceBuilder millrace) =>
        millrace.AddWorkers(workers => workers.Processes = WorkerProcesses.PerCpu);   // or a number

    public static void OnlySubmits(IServiceCollection services, string connectionString) =>
        services.AddMillrace(m => m.UsePostgres(connectionString));

    public static void Retention(MillraceBuilder millrace) =>
        millrace.Configure(options =>
        {
            options.RemoveDelay = TimeSpan.FromHours(1);
            options.FailureRemoveDelay = TimeSpan.FromDays(7);
        });

    public static async Task InsideATransaction(DbDataSource database, IJobClient jobs, CancellationToken cancellationToken) =>
        await database.WithTransactionAsync(
            async (transaction, token) =>
            {
                await SaveOrderAsync(transaction, token);
                await jobs.SubmitAsync(new PracticesTests.ChargeOrder(7), cancellationToken: token);   // joins: stored if and only if the order is
            },
            cancellationToken: cancellationToken);

    public static async Task OnTheCallersTransaction(DbTransaction transaction, IJobClient jobs, CancellationToken cancellationToken) =>
        await jobs.Using(transaction).SubmitAsync(new PracticesTests.ChargeOrder(7), cancellationToken: cancellationToken);

    private static Task SaveOrderAsync(DbTransaction transaction, CancellationToken cancellationToken) => Task.CompletedTask;
}

[Job("export")]
public sealed record Export;

public sealed class ExportJob : IJob<Export>
{
    public async Task RunAsync(JobContext<Export> job, CancellationToken cancellationToken)
    {
        await job.ReportProgressAsync(50, "half of the rows", cancellationToken);
        await job.NotifyUserAsync(job.UserId, "Your export is ready.", cancellationToken);
    }
}
