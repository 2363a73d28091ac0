using System.Text.Json.Serialization;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Attest;

/// <summary>
/// draft-ietf-oauth-attestation-based-client-auth §6.1: tells what the next proof of a copy's key has to repeat. Made
/// from the clock, so that asking makes nothing grow; nothing of the request is read.
/// </summary>
internal sealed partial class ChallengeEndpoint(Attesters attesters, Attestations attestations)
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/challenge", (HttpContext http, ChallengeEndpoint challenge) => challenge.Answer(http))
        .Open()
        .AnyOrigin();

    private IResult Answer(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        return attesters.Any(http.Tenant.Id)
            ? Results.Json(new(attestations.Challenge(http.Tenant)), ChallengeJson.Default.Challenge)
            : Results.NotFound();
    }

    internal sealed record Challenge(string AttestationChallenge);

    [JsonSerializable(typeof(Challenge))]
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    private sealed partial class ChallengeJson : JsonSerializerContext;
}
