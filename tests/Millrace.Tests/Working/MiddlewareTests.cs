using Microsoft.Extensions.DependencyInjection;
using Millrace.Testing;
using Millrace.Tests.Testing;

namespace Millrace.Tests.Working;

public sealed class MiddlewareTests
{
    private readonly Diary diary = new();

    [Job("guarded")]
    private sealed record Guarded(bool IsAllowed = true);

    private sealed class Inner(Diary diary) : IJobMiddleware
    {
        public async Task InvokeAsync(JobContext job, JobDelegate next, CancellationToken cancellationToken)
        {
            diary.Add("inner in");
            await next(job, cancellationToken);
            diary.Add("inner out");
        }
    }

    [Fact]
    public async Task The_first_registered_is_the_outermost()
    {
        await using var server = await StartAsync();

        (await server.RunAsync(new Guarded())).ShouldHaveSucceeded();

        diary.Lines.ShouldBe(["outer in", "inner in", "handler", "inner out", "outer out"]);
    }

    [Fact]
    public async Task Who_does_not_go_on_ends_the_attempt_as_succeeded()
    {
        await using var server = await StartAsync();

        (await server.RunAsync(new Guarded(false))).ShouldHaveSucceeded();

        diary.Lines.ShouldBe(["outer in"]);
    }

    [Fact]
    public async Task An_exception_passes_through_all_of_them()
    {
        await using var server = await StartAsync(() => throw new InvalidDataException("no"));

        (await server.RunAsync(new Guarded())).ShouldHaveFailed<InvalidDataException>();

        diary.Lines.ShouldBe(["outer in", "inner in", "outer failed"]);
    }

    private Task<JobTestServer> StartAsync(Action? handler = null) => JobTestServer.StartAsync(
        m => m
            .Use(async (job, next, token) =>
            {
                diary.Add("outer in");
                if (job is JobContext<Guarded> { Data.IsAllowed: false })
                    return;
                try
                {
                    await next(job, token);
                }
                catch (InvalidDataException)
                {
                    diary.Add("outer failed");
                    throw;
                }

                diary.Add("outer out");
            })
            .Use<Inner>()
            .AddJob<Guarded>((_, _) =>
            {
                handler?.Invoke();
                diary.Add("handler");
                return Task.CompletedTask;
            }),
        services => services.AddSingleton(diary));
}
