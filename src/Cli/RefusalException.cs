namespace Postern.Cli;

/// <summary>
/// The verb cannot do what was asked. The message is for the person who typed it and says what to do.
/// </summary>
internal sealed class RefusalException(string message) : Exception(message);
