using System.Collections.Concurrent;

namespace Millrace.System.Tests;

/// <summary>Four loops that submit one job after the other, and write down what they were told.</summary>
public sealed class Load
{
    private readonly CancellationTokenSource stop = new();
    private readonly Task loops;

    public Load(IJobClient jobs) => loops = Task.WhenAll(Enumerable.Range(0, 4).Select(number => Task.Run(() => SubmitAsync(jobs, number))));

    public ConcurrentBag<long> Acknowledged { get; } = [];

    public ConcurrentBag<Exception> Unexpected { get; } = [];

    public ConcurrentBag<long> Unknown { get; } = [];

    public ConcurrentBag<long> Refused { get; } = [];

    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await loops;
    }

    private async Task SubmitAsync(IJobClient jobs, int seed)
    {
        var random = new Random(seed);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                Acknowledged.Add((await jobs.SubmitAsync(new Transfer(random.Next(Jobs.Accounts), random.Next(1, 100)))).Id);
                // A steady load, not a flood: what is submitted here must also be done here.
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
            }
            catch (SubmitException exception)
            {
                foreach (var id in exception.JobIds)
                    (exception.Fault == SubmitFault.Unknown ? Unknown : Refused).Add(id);
            }
            catch (Exception exception)
            {
                Unexpected.Add(exception);
            }
        }
    }
}
