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
        .Map("/challenge", (HttpContext http, ChallengeEndpoint challenge) => challenge.Answer(http))
        .Open()
        .AnyOrigin();

    private IResult Answer(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        // Where nobody is attested there is nothing here, however it is asked for.
        if (!attesters.Any(http.Tenant.Id))
        {
            return Results.NotFound();
        }

        if (!HttpMethods.IsPost(http.Request.Method))
        {
            http.Response.Headers.Allow = HttpMethods.Post;
            return Results.Text("This address takes POST.\n", statusCode: StatusCodes.Status405MethodNotAllowed);
        }

        return Results.Json(new(attestations.Challenge(http.Tenant)), ChallengeJson.Default.Challenge);
    }

    internal sealed record Challenge(string AttestationChallenge);

    [JsonSerializable(typeof(Challenge))]
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    private sealed partial class ChallengeJson : JsonSerializerContext;
}
