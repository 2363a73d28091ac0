namespace Postern.Platform.Outbound;

/// <summary>
/// Something that must be fetched to answer cannot be now, for our own limits: an outage, and no refusal.
/// </summary>
public sealed class NoRoomException(TimeSpan retryAfter)
    : Exception("What this answer needs cannot be fetched at the moment.")
{
    public TimeSpan RetryAfter => retryAfter;
}
