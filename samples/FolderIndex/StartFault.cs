using System.Data.Common;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Millrace;

namespace FolderIndex;

/// <summary>The demo cannot do what it was asked to. The message is for the person who typed the command.</summary>
internal sealed class DemoException(string message) : Exception(message);

/// <summary>What can go wrong at the start without a fault in the program.</summary>
internal static class StartFault
{
    /// <summary>One message that says what to do; null for an exception that has to be seen whole.</summary>
    public static string? Explain(Exception exception) => exception switch
    {
        DemoException or SetupException => exception.Message,
        ArgumentException { ParamName: "connectionString" } wrong => $"--postgres: {wrong.Message.Replace(" (Parameter 'connectionString')", "", StringComparison.Ordinal)} Nothing was indexed.",
        IOException { InnerException: AddressInUseException } => "Port 5080 of this machine is taken by another program, perhaps another ./demo. Stop that one, or use ./demo --once, which takes any free port. Nothing was indexed.",
        DbException or SocketException => $"The database cannot be used: {exception.Message.TrimEnd('.')}. Look at --postgres or --data. Nothing was indexed.",
        UnauthorizedAccessException or IOException => $"{exception.Message.TrimEnd('.')}. Look at --data. Nothing was indexed.",
        _ => null,
    };
}
