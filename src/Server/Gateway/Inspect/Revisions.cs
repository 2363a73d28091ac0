namespace Postern.Gateway.Inspect;

/// <summary>The two protocols that share a name: with a handshake and sessions, or with neither.</summary>
internal enum Era
{
    Legacy,
    Modern,
}

/// <summary>The revisions of the Model Context Protocol that are served, newest first.</summary>
internal static class Revisions
{
    public const string Modern = "2026-07-28";
    public const string NewestLegacy = "2025-11-25";

    /// <summary>The revision of a legacy message without version header, and the only one with batches.</summary>
    public const string Batching = "2025-03-26";

    public static bool IsLegacy(string version) => version is NewestLegacy or "2025-06-18" or Batching;
}
