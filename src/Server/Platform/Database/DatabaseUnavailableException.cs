namespace Postern.Platform.Database;

/// <summary>The database is away, full or read-only. Nothing of the work that met it was acknowledged.</summary>
public sealed class DatabaseUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
