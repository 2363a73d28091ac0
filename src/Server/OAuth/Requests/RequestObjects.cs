using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Primitives;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Requests;

/// <summary>
/// Requests that their client signed (RFC 9101), by the rules of the strictest profile for everybody: FAPI 2.0 Message
/// Signing §5.3.1. Only what is inside counts.
/// </summary>
internal sealed class RequestObjects(ClientKeys keys, TimeProvider clock)
{
    /// <summary>What a signed request says, when this client signed it for this server.</summary>
    public async ValueTask<Result<AuthorizeRequest>> ReadAsync(
        Tenant tenant, Client client, string text, CancellationToken stop)
    {
        if (client is { Jwks: null, JwksUri: null })
        {
            return new OAuthError(
                "request_not_supported", "No key is registered by which the app could sign a request.");
        }

        if (ForeignToken.Read(text) is not { } token)
        {
            return Invalid("it is not one compact JWT");
        }

        if ((KindRefusal(token, client, tenant) ?? SignedRequest.TimeRefusal(token, clock.GetUtcNow())) is { } refusal)
        {
            return Invalid(refusal);
        }

        var algorithms = client.RequestSigningAlg is { } registered ? [registered] : ClientMetadata.RequestAlgorithms;
        if (!await token.IsSignedByAsync(await keys.FindAsync(client, token.Kid, stop), algorithms))
        {
            return Invalid("no key of the app signed it");
        }

        return ParametersOf(token.Claims) is { } parameters
            ? AuthorizeRequest.Parse(parameters, isSigned: true)
            : Invalid("a parameter is of the wrong type");
    }

    private static OAuthError Invalid(string why) =>
        new("invalid_request_object", $"The signed request is refused: {why}.");

    private static string? KindRefusal(ForeignToken token, Client client, Tenant tenant) => token switch
    {
        // RFC 9101 §10.8: a type is not demanded of it; one that is there must be this one.
        { Typ: not (null or "oauth-authz-req+jwt") } => "it is another kind of token",
        _ when token.Text("iss") != client.Id.Value => "iss is not the app",
        _ when token.Text("client_id") != client.Id.Value => "client_id is not the app",
        _ when !token.IsFor(tenant.Issuer) => "aud is not this server",
        // RFC 9101 §10.8: what has the client as its subject could be meant to prove the client.
        _ when token.Text("sub") == client.Id.Value => "sub is the app",
        _ when token.Claims.TryGetProperty("request", out _) || token.Claims.TryGetProperty("request_uri", out _) =>
            "it holds another",
        _ when token.Text("redirect_uri") is not { Length: > 0 } => "redirect_uri is missing",
        _ => null,
    };

    // RFC 9101 §4: each parameter is a member; texts as texts, what is JSON as JSON.
    private static List<KeyValuePair<string, StringValues>>? ParametersOf(JsonElement claims)
    {
        var parameters = new List<KeyValuePair<string, StringValues>>();
        foreach (var member in claims.EnumerateObject().Where(member => AuthorizeRequest.Names.Contains(member.Name)))
        {
            if (ValueOf(member) is not { } value)
            {
                return null;
            }

            parameters.Add(new(member.Name, value));
        }

        return parameters;
    }

    private static StringValues? ValueOf(JsonProperty member) => (member.Name, member.Value.ValueKind) switch
    {
        ("authorization_details", JsonValueKind.Array) or ("claims", JsonValueKind.Object) => Plain(member.Value),
        ("max_age", JsonValueKind.Number) => member.Value.GetRawText(),
        ("resource", JsonValueKind.Array) when member.Value.EnumerateArray().All(IsText) =>
            member.Value.EnumerateArray().Select(one => one.GetString()).ToArray(),
        (_, JsonValueKind.String) when IsText(member.Value) => member.Value.GetString(),
        _ => null,
    };

    // In printable ASCII, as every parameter is.
    private static string Plain(JsonElement value)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            value.WriteTo(json);
        }

        return Encoding.ASCII.GetString(text.WrittenSpan);
    }

    private static bool IsText(JsonElement value) => value.ValueKind is JsonValueKind.String;
}
