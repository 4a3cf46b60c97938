namespace FolderIndex;

/// <summary>The demo cannot do what it was asked to. The message is for the person who typed the command.</summary>
internal sealed class DemoException(string message) : Exception(message);
