using Postern.Platform.Outbound;

namespace Postern.OAuth.ClientAuth;

/// <summary>How a client asks people behind the browser's back (CIBA Core §4).</summary>
/// <param name="IsPing">It wants to be told that there is an answer.</param>
/// <param name="NotificationEndpoint">Where.</param>
/// <param name="Algorithm">By what it signs its requests; null when it does not.</param>
internal sealed record BackchannelMembers(bool IsPing, string? NotificationEndpoint, string? Algorithm)
{
    /// <summary>FAPI-CIBA §5.2.2: what may sign a request.</summary>
    public static readonly string[] Algorithms = ["ES256", "PS256"];

    /// <summary>What contradicts itself; null when nothing does.</summary>
    public string? Refusal(Client client) => this switch
    {
        _ when client.IsPublic => "a client that cannot prove itself cannot ask people by the back channel.",
        { IsPing: true, NotificationEndpoint: null } => "`backchannel_client_notification_endpoint` is missing.",
        { NotificationEndpoint: { } address } when !IsHttps(address) =>
            "`backchannel_client_notification_endpoint` is an https URL.",
        { Algorithm: not null } when client is { Jwks: null, JwksUri: null } => "`jwks` or `jwks_uri` is missing.",
        _ => null,
    };

    public static bool IsHttps(string address) =>
        OutboundUrl.TryParse(address, out var url) && url.Uri.Scheme is "https";
}
