namespace Postern.Platform;

/// <summary>
/// The server cannot start as it is set up. The message is one sentence for the operator that says what to do.
/// </summary>
public sealed class SetupException(string message) : Exception(message);
