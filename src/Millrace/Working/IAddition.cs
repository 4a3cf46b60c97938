namespace Millrace.Working;

/// <summary>What another assembly adds to an instance after the application was built, where no service can be registered any more: a dashboard. Asked at the start, stopped with it.</summary>
internal interface IAddition
{
    /// <summary>What is wrong with how it was set up, one sentence or two each.</summary>
    /// <param name="hasStarted">False: before the first job. True: everything has started, and the start can still fail.</param>
    Task<IReadOnlyList<string>> FindFaultsAsync(bool hasStarted);

    /// <summary>Ends what it does in the background.</summary>
    Task StopAsync();
}
