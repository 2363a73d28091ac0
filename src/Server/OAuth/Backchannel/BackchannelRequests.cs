using System.Text.Json;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;
using Postern.Platform;

namespace Postern.OAuth.Backchannel;

/// <summary>
/// The parameters of a request, from the form or from what the client signed (CIBA Core §7.1.1), never from both.
/// </summary>
internal sealed class BackchannelRequests(ClientKeys keys, Once once, TimeProvider clock)
{
    private static readonly string[] Names =
    [
        "scope", "login_hint", "id_token_hint", "login_hint_token", "binding_message", "user_code", "acr_values",
        "requested_expiry", "client_notification_token", "authorization_details", "resource", "dpop_jkt",
    ];

    private static readonly string[] Elsewhere = ["response_type", "redirect_uri", "code_challenge"];

    private const int MaxId = 200;

    /// <summary>Each parameter by its name.</summary>
    internal delegate string? Parameters(string name);

    public async ValueTask<Result<Parameters>> ReadAsync(Presenter presenter, Form form, CancellationToken stop)
    {
        if (presenter.Client.Backchannel?.Algorithm is not { } algorithm)
        {
            return form["request"] is null
                ? (Parameters)(name => form[name])
                : OAuthError.InvalidRequest("The client is not registered for signed requests.");
        }

        if (form["request"] is not { } text)
        {
            return OAuthError.InvalidRequest("The client is registered to sign its requests.");
        }

        if (Names.Any(name => form[name] is not null))
        {
            return OAuthError.InvalidRequest("What is asked stands in the signed request alone.");
        }

        return await SignedAsync(presenter, text, algorithm, stop);
    }

    private async ValueTask<Result<Parameters>> SignedAsync(
        Presenter presenter, string text, string algorithm, CancellationToken stop)
    {
        var (tenant, client) = (presenter.Tenant, presenter.Client);
        if (ForeignToken.Read(text) is not { } token)
        {
            return Refused("malformed");
        }

        if (FormRefusal(token, client.Id.Value, tenant.Issuer) is { } refusal)
        {
            return Refused(refusal);
        }

        if (!token.Claims.EnumerateObject().All(HasItsType))
        {
            return Refused("a parameter is of the wrong type");
        }

        if (!await token.IsSignedByAsync(await keys.FindAsync(client, token.Kid, stop), [algorithm]))
        {
            return Refused("not signed by the client");
        }

        var until = clock.GetUtcNow() + SignedRequest.MaxLife + ForeignToken.Skew;
        return await once.TakeAsync(tenant.Id, "signed request", $"{client.Id}\n{token.Text("jti")}", until)
            ? (Parameters)(name => ValueOf(token, name))
            : Refused("used again");
    }

    private string? FormRefusal(ForeignToken token, string client, string issuer) => token switch
    {
        // CIBA has no type of its own; that of a request for /authorize says that it is for there, and so does what
        // only such a one has. It went through a browser.
        { Typ: not (null or "jwt") } => "another kind of token",
        _ when Elsewhere.Any(name => token.Claims.TryGetProperty(name, out _)) => "a request for another endpoint",
        _ when token.Text("iss") != client => "iss is not the client",
        _ when !token.IsFor(issuer) => "aud is not this issuer",
        _ when token.Text("jti") is not { Length: > 0 and <= MaxId } => "no jti",
        _ when token.At("iat") is null => "iat is missing",
        _ => SignedRequest.TimeRefusal(token, clock.GetUtcNow()),
    };

    // CIBA Core §7.1.1: numbers may be numbers there, and JSON is JSON; everything else is a text.
    private static bool HasItsType(JsonProperty member) =>
        !Names.Contains(member.Name) || (member.Name, member.Value.ValueKind) switch
        {
            (_, JsonValueKind.String) => true,
            ("requested_expiry", JsonValueKind.Number) or ("authorization_details", JsonValueKind.Array) => true,
            _ => false,
        };

    private static string? ValueOf(ForeignToken token, string name) =>
        token.Claims.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.String
            ? value.GetRawText()
            : token.Text(name) is { Length: > 0 } text ? text : null;

    private static OAuthError Refused(string reason) =>
        OAuthError.InvalidRequest("The signed request is not as it must be.") with { Reason = reason };
}
