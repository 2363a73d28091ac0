using System.Globalization;
using Postern.Approvals;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Pages;

namespace Postern.OAuth.Backchannel;

/// <summary>What CIBA Core §7.1 has beside the parameters of every request, checked.</summary>
internal sealed record BackchannelRequest
{
    private const int MaxMessage = 100;

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(30), Longest = TimeSpan.FromHours(1);

    private static readonly Func<BackchannelRequests.Parameters, BackchannelMembers, OAuthError?>[] Checks =
    [
        ScopeHasOpenId,     // §7.1
        OnePersonIsNamed,   // §7.1
        MessageIsPlain,     // §7.1, §13
        ExpiryIsANumber,    // §7.1
        PingHasItsToken,    // §7.1
    ];

    private BackchannelRequest()
    {
    }

    /// <summary>The address of the person; null when an ID token says who.</summary>
    public required string? LoginHint { get; init; }

    /// <summary>An ID token of the client's, by which it names the person.</summary>
    public required string? IdTokenHint { get; init; }

    public required string? Message { get; init; }

    /// <summary>How long the person has.</summary>
    public required TimeSpan Life { get; init; }

    public required Callback? Callback { get; init; }

    public static Result<BackchannelRequest> Check(
        BackchannelRequests.Parameters parameters, BackchannelMembers members)
    {
        if (Checks.Select(check => check(parameters, members)).FirstOrDefault(error => error is not null) is { } error)
        {
            return error;
        }

        return new BackchannelRequest
        {
            LoginHint = parameters("login_hint"),
            IdTokenHint = parameters("id_token_hint"),
            Message = parameters("binding_message"),
            Life = Clamp(parameters("requested_expiry")),
            Callback = members is { IsPing: true, NotificationEndpoint: { } address }
                ? new(address, new(parameters("client_notification_token")!))
                : null,
        };
    }

    private static OAuthError? ScopeHasOpenId(BackchannelRequests.Parameters parameters, BackchannelMembers members) =>
        Scopes.TryParse(parameters("scope"), out var scopes) && scopes.Has("openid")
            ? null
            : OAuthError.InvalidScope("scope holds openid, and what else is asked for.");

    private static OAuthError? OnePersonIsNamed(
        BackchannelRequests.Parameters parameters, BackchannelMembers members) =>
        (parameters("login_hint"), parameters("id_token_hint"), parameters("login_hint_token")) switch
        {
            ({ Length: > 0 }, null, null) or (null, { Length: > 0 }, null) => null,
            (null, null, { }) => OAuthError.InvalidRequest("login_hint_token is not served; name a login_hint."),
            _ => OAuthError.InvalidRequest("Name one person, by login_hint or id_token_hint."),
        };

    // What a person would not see as it is, or could take for ours, is not shown at all.
    private static OAuthError? MessageIsPlain(BackchannelRequests.Parameters parameters, BackchannelMembers members) =>
        parameters("binding_message") is not { } text
        || (text.Length <= MaxMessage && Untrusted.Sentence(text) == text)
            ? null
            : new("invalid_binding_message", $"binding_message is one plain line of at most {MaxMessage} characters.");

    private static OAuthError? ExpiryIsANumber(BackchannelRequests.Parameters parameters, BackchannelMembers members) =>
        parameters("requested_expiry") is not { } text
        || (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0)
            ? null
            : OAuthError.InvalidRequest("requested_expiry is a positive number of seconds.");

    private static OAuthError? PingHasItsToken(BackchannelRequests.Parameters parameters, BackchannelMembers members) =>
        !members.IsPing || Callback.IsToken(parameters("client_notification_token"))
            ? null
            : OAuthError.InvalidRequest(Callback.Expectation);

    private static TimeSpan Clamp(string? expiry) =>
        expiry is null ? AskDesk.Lifetime
        : long.Parse(expiry, CultureInfo.InvariantCulture) is var seconds && seconds >= Longest.TotalSeconds ? Longest
        : seconds <= Shortest.TotalSeconds ? Shortest
        : TimeSpan.FromSeconds(seconds);
}
