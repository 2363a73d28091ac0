using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Requests;

/// <summary>
/// How long a request that its client signed may be good, and how old it may be (FAPI 2.0 Message Signing §5.3.1,
/// FAPI-CIBA §5.2.2).
/// </summary>
internal static class SignedRequest
{
    public static readonly TimeSpan MaxLife = TimeSpan.FromMinutes(60);

    /// <summary>What is wrong with its times; null when they are right.</summary>
    public static string? TimeRefusal(ForeignToken token, DateTimeOffset now) => token.At("nbf") switch
    {
        null => "nbf is missing",
        { } starts when starts < now - MaxLife => "nbf is more than an hour ago",
        { } starts when token.At("exp") > starts + MaxLife => "it is good for more than an hour",
        _ => token.TimeRefusal(now, MaxLife),
    };
}
