using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Postern.AspNetCore.Proofs;

namespace Postern.AspNetCore.Metadata;

/// <summary>
/// What a resource says about itself (RFC 9728 §2), as it goes over the wire: names become snake case, nulls are left
/// out.
/// </summary>
/// <param name="Resource"><c>resource</c>: exactly the URL that people type and that tokens have as audience.</param>
/// <param name="AuthorizationServers"><c>authorization_servers</c>: issuers; clients need at least one.</param>
public sealed partial record ResourceMetadata(string Resource, IReadOnlyList<string> AuthorizationServers)
{
    private const string WellKnown = "/.well-known/oauth-protected-resource";

    // RFC 9728 §3.2: a list of nothing is left out.

    /// <summary><c>scopes_supported</c>: what a client should ask for when nothing told it better.</summary>
    public IReadOnlyList<string>? ScopesSupported { get; init => field = value is [] ? null : value; }

    /// <summary><c>bearer_methods_supported</c>: the header, always (RFC 6750 §2.1).</summary>
    public IReadOnlyList<string> BearerMethodsSupported { get; } = ["header"];

    /// <summary><c>authorization_details_types_supported</c> (RFC 9396 §10).</summary>
    public IReadOnlyList<string>? AuthorizationDetailsTypesSupported
    {
        get;
        init => field = value is [] ? null : value;
    }

    /// <summary><c>dpop_signing_alg_values_supported</c> (RFC 9449 §5.1, RFC 9728 §2).</summary>
    public IReadOnlyList<string> DpopSigningAlgValuesSupported { get; } = ProofValidator.Algorithms;

    /// <summary><c>dpop_bound_access_tokens_required</c>: no other tokens are taken; null when others are.</summary>
    public bool? DpopBoundAccessTokensRequired { get; init; }

    /// <summary>
    /// <c>tls_client_certificate_bound_access_tokens</c>: tokens that are bound to a certificate are taken; null to say
    /// nothing about it.
    /// </summary>
    public bool? TlsClientCertificateBoundAccessTokens { get; init; }

    /// <summary><c>resource_name</c>: shown to people.</summary>
    public string? ResourceName { get; init; }

    /// <summary><c>resource_documentation</c>: a page for developers.</summary>
    public string? ResourceDocumentation { get; init; }

    /// <summary><c>resource_policy_uri</c>: a page that says how data may be used.</summary>
    public string? ResourcePolicyUri { get; init; }

    /// <summary><c>resource_tos_uri</c>: the terms of service.</summary>
    public string? ResourceTosUri { get; init; }

    /// <summary>The URL of the document: the well-known path goes between host and path (RFC 9728 §3.1).</summary>
    /// <param name="resource">An absolute URL.</param>
    /// <exception cref="UriFormatException">The resource is not one.</exception>
    public static string UrlOf(string resource)
    {
        var uri = new Uri(resource, UriKind.Absolute);
        var path = uri.AbsolutePath is "/" ? "" : uri.AbsolutePath;
        return $"{uri.GetLeftPart(UriPartial.Authority)}{WellKnown}{path}{uri.Query}";
    }

    /// <summary>
    /// The answer to GET, and to the question a browser asks first: readable from any page, good for five minutes.
    /// </summary>
    public IResult ToHttp() => new Answer(this);

    private sealed class Answer(ResourceMetadata metadata) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var headers = httpContext.Response.Headers;
            headers.AccessControlAllowOrigin = "*";
            if (HttpMethods.IsOptions(httpContext.Request.Method))
            {
                headers.AccessControlAllowMethods = "GET";
                headers.AccessControlAllowHeaders = "*";
                httpContext.Response.StatusCode = StatusCodes.Status204NoContent;
                return Task.CompletedTask;
            }

            headers.CacheControl = "public, max-age=300";
            return httpContext.Response.WriteAsJsonAsync(metadata, WireJson.Default.ResourceMetadata);
        }
    }

    [JsonSerializable(typeof(ResourceMetadata))]
    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    private sealed partial class WireJson : JsonSerializerContext;
}
