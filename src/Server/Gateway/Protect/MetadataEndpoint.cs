using Postern.AspNetCore.Metadata;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.Gateway.Protect;

/// <summary>
/// RFC 9728: tells a client that was turned away who gives tokens for a server, and with which scopes.
/// </summary>
internal static class MetadataEndpoint
{
    public const string Path = "/.well-known/oauth-protected-resource";

    private static readonly string[] Verbs = [HttpMethods.Get, HttpMethods.Options];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods(
            Path + "/mcp/{server}",
            Verbs,
            (HttpContext http, string server, ServerBook servers, Settings settings) =>
                Answer(http.Tenant, servers.Find(http.Tenant.Id, server), servers, settings)).Open().AtBoth();

        // At the root only while it is clear which server is meant.
        routes.MapMethods(
            Path,
            Verbs,
            (HttpContext http, ServerBook servers, Settings settings) =>
                Answer(http.Tenant, servers.All(http.Tenant.Id) is [var only] ? only : null, servers, settings))
            .Open().AtBoth();
    }

    private static IResult Answer(
        Tenant tenant, McpServer? server, ServerBook servers, Settings settings) => server is null
        ? TypedResults.NotFound()
        : new ResourceMetadata(server.Resource.Value, [tenant.Issuer])
        {
            ScopesSupported = servers.Scopes(server).Tokens,
            // Those that are kept here (RFC 9396 §10); others are not granted.
            AuthorizationDetailsTypesSupported = server.Declares.Types,
            DpopBoundAccessTokensRequired = server.RequiresDpop ? true : null,
            TlsClientCertificateBoundAccessTokens = settings.TakesCertificates ? true : null,
            ResourceName = server.Title,
        }.ToHttp();
}
