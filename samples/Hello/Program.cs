using Millrace;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddMillrace(m => m
    .UseSqlite("app.db")
    .AddJob<WelcomeJob>()
    .AddWorkers());

var app = builder.Build();
app.MapPost("/signup/{email}", async (string email, IJobClient jobs) =>
{
    var (id, outcome) = await jobs.SubmitAsync(new Welcome(email), new JobOptions { Tag = $"welcome-{email}" });
    return $"job {id}: {outcome}\n";
});
app.MapGet("/status/{id:long}", async (long id, IJobClient jobs) =>
    await jobs.FindAsync(id) is { } job ? Results.Text($"job {id}: {job.State}, attempt {job.Attempt}\n") : Results.NotFound());
app.MapMillraceDashboard("/jobs");   // outside Development it wants to know who may see it: .RequireAuthorization("…")
app.Run();

[Job("welcome", MaxAttempts = 5)]
public sealed record Welcome(string Email);

public sealed class WelcomeJob(TimeProvider time) : IJob<Welcome>
{
    public async Task RunAsync(JobContext<Welcome> job, CancellationToken cancellationToken)
    {
        job.Log.LogInformation("Welcoming {Email}, attempt {Attempt}", job.Data.Email, job.Attempt);
        await Task.Delay(TimeSpan.FromSeconds(3), time, cancellationToken);   // the real work; an exception here means: again later
    }
}
