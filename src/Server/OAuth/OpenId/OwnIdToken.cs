namespace Postern.OAuth.OpenId;

/// <summary>An ID token of ours that a client brings back to say whom it means. It lets nobody in.</summary>
/// <param name="Client">The client it was made for.</param>
/// <param name="Subject">The person, by the name that client has for them.</param>
/// <param name="Sid">The session, by that client's name for it.</param>
/// <param name="IsOver">
/// Its time is not now: it has expired, is from the future, or would last longer than the tenant's tokens do. As a hint
/// it is as good as before.
/// </param>
internal sealed record OwnIdToken(string Client, string Subject, string? Sid, bool IsOver);
