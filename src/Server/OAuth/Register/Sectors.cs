using System.Text.Json;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Outbound;

namespace Postern.OAuth.Register;

/// <summary>
/// Sites that share one name for each person (OpenID Connect Core §8.1): the list that the sector publishes must hold
/// every address of the client, or anybody could ask for the names of somebody else's people.
/// </summary>
internal sealed class Sectors(SafeHttp outbound)
{
    public async ValueTask<OAuthError?> RefusalAsync(
        ClientMetadata metadata, string network, CancellationToken stop)
    {
        if (metadata.OpenId.SectorIdentifierUri is not { } uri)
        {
            return null;
        }

        return await outbound.GetForStrangerAsync(uri, FetchRules.Json, network, stop) switch
        {
            FetchOutcome.Answered answer when Holds(answer.Body, metadata.RedirectUris) => null,
            FetchOutcome.Busy busy => OAuthError.TooMany("sector_identifier_uri is asked too often.", busy.RetryAfter),
            _ => new OAuthError(
                "invalid_client_metadata", "sector_identifier_uri does not list every one of the redirect_uris."),
        };
    }

    private static bool Holds(ReadOnlyMemory<byte> body, IReadOnlyList<string> redirectUris) =>
        StrictJson.Read(body, maxDepth: 2) is { ValueKind: JsonValueKind.Array } list
        && redirectUris.All(uri => list.EnumerateArray().Any(
            item => item.ValueKind is JsonValueKind.String && item.ValueEquals(uri)));
}
