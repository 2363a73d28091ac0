using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Register;

/// <summary>
/// What a client is told of its registration (RFC 7591 §3.2.1, RFC 7592 §3), without nulls and with whole numbers: some
/// clients read it strictly. A secret is shown once, when it was made.
/// </summary>
internal sealed partial record Registered(
    string ClientId,
    long ClientIdIssuedAt,
    string? ClientSecret,
    long? ClientSecretExpiresAt,
    string RegistrationAccessToken,
    string RegistrationClientUri,
    string ClientName,
    IReadOnlyList<string> RedirectUris,
    IReadOnlyList<string> GrantTypes,
    IReadOnlyList<string> ResponseTypes,
    string TokenEndpointAuthMethod,
    string? ApplicationType,
    string? Scope,
    JsonNode? Jwks,
    string? JwksUri,
    bool? DpopBoundAccessTokens,
    bool? RequirePushedAuthorizationRequests,
    bool? RequireSignedRequestObject,
    string? RequestObjectSigningAlg,
    string? AuthorizationSignedResponseAlg,
    IReadOnlyList<string>? ResponseModes,
    string? TokenEndpointAuthSigningAlg)
{
    public static Registered Of(Tenant tenant, Client client, Secret token, Secret? secret) => new(
        client.Id.Value,
        client.FirstSeen!.Value.ToUnixTimeSeconds(),
        secret?.Reveal(),
        client.SecretHash is null ? null : 0,
        token.Reveal(),
        tenant.Address($"{RegisterEndpoint.Path}/{client.Id}"),
        client.Name,
        client.RedirectUris,
        client.GrantTypes,
        client.GrantTypes.Contains(ClientMetadata.AuthorizationCode) ? ["code"] : [],
        client.AuthMethods[0],
        client.ApplicationType,
        client.ScopeCap?.ToString(),
        client.Jwks is { } keys ? JsonNode.Parse(keys) : null,
        client.JwksUri,
        client.RequiresDpop ? true : null,
        client.RequiresPush ? true : null,
        client.RequiresSignedRequest ? true : null,
        client.RequestSigningAlg,
        client.AnswerSigningAlg,
        client.ResponseModes.Count > 0 ? client.ResponseModes : null,
        client.AssertionAlg);

    public IResult ToHttp(HttpContext http, Client client, int status)
    {
        http.Response.Headers.CacheControl = "no-store";
        var answer = JsonSerializer.SerializeToNode(this, RegisteredJson.Default.Registered)!.AsObject();
        foreach (var (name, value) in client.Certificate.ToJson().Concat(client.OpenId.ToJson() ?? []))
        {
            answer[name] = value?.DeepClone();
        }

        return Results.Text(answer.ToJsonString(), "application/json", statusCode: status);
    }

    [JsonSerializable(typeof(Registered))]
    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    private sealed partial class RegisteredJson : JsonSerializerContext;
}
