using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;
using static Postern.Tests.Combinations;

namespace Postern.Tests.OAuth.Journeys;

/// <summary>
/// What a client wears: its proof on each form it sends, its key or its certificate on each request, and the place that
/// it is at. Whoever uses it writes plain requests of a client with a secret.
/// </summary>
internal sealed class Dress : DelegatingHandler
{
    private const string JwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        JwtSpiffe = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";

    private readonly DpopKey copy = new();

    public Dress()
        : base(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false })
    {
    }

    public required JourneyTown Town { get; init; }

    public required string Id { get; init; }

    public required string Issuer { get; init; }

    /// <summary>Where it is below the server's address.</summary>
    public string Prefix { get; init; } = "";

    public string? Proof { get; init; }

    public string? Bound { get; init; }

    public X509Certificate2? Shown { get; init; }

    public DpopKey Key { get; } = new();

    /// <summary>What binds its tokens, as <c>cnf</c> says it; null for nothing.</summary>
    public string? Confirmation => Bound switch
    {
        Dpop => $$"""{"jkt":"{{Key.Thumbprint}}"}""",
        Certificate => $$"""{"x5t#S256":"{{Authority.Thumbprint(Shown!)}}"}""",
        _ => null,
    };

    /// <summary>A client that goes on in these clothes.</summary>
    public HttpClient Connect()
    {
        var http = new HttpClient(this, disposeHandler: false) { BaseAddress = Town.Server.Http.BaseAddress };
        http.DefaultRequestHeaders.Host = new Uri(Issuer).Authority;
        return http;
    }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        request.RequestUri = new(
            request.RequestUri.GetLeftPart(UriPartial.Authority) + Prefix + request.RequestUri.PathAndQuery);
        if (request.Content?.Headers.ContentType?.MediaType is "application/x-www-form-urlencoded")
        {
            await ProveAsync(request, path, cancellationToken);
        }

        if (Shown is not null)
        {
            request.Headers.TryAddWithoutValidation("Client-Cert", HeaderServer.Encoded(Shown));
        }

        if (Bound is Dpop)
        {
            var token = request.Headers.Authorization?.Parameter;
            request.Headers.Authorization = token is null ? null : new("DPoP", token);
            request.Headers.TryAddWithoutValidation(
                "DPoP", Key.Proof(new(request.Method.Method, Issuer + path, Town.Now, token)));
        }

        return await base.SendAsync(request, cancellationToken);
    }

    private async Task ProveAsync(HttpRequestMessage request, string path, CancellationToken stop)
    {
        var fields = HttpUtility.ParseQueryString(await request.Content!.ReadAsStringAsync(stop));
        (string Type, string Text)? assertion = (Proof, Shown) switch
        {
            (PrivateKey, _) => (JwtBearer, Town.Keys.Sign(Claims(60), "client-authentication+jwt")),
            (Spiffe, null) => (JwtSpiffe, Town.Domain.Sign(Claims(300), null)),
            _ => null,
        };
        if (assertion is { } made)
        {
            (fields["client_assertion_type"], fields["client_assertion"]) = made;
        }

        if (Proof is Attested)
        {
            await AttestAsync(request, stop);
        }

        request.Content = new FormUrlEncodedContent(fields.AllKeys.SelectMany(
            name => fields.GetValues(name)!.Select(value => KeyValuePair.Create(name!, value))));
    }

    private JsonObject Claims(int life) => new()
    {
        ["iss"] = Id,
        ["sub"] = Id,
        ["aud"] = Issuer,
        ["iat"] = Town.Now,
        ["exp"] = Town.Now + life,
        ["jti"] = Guid.NewGuid().ToString("N"),
    };

    private async Task AttestAsync(HttpRequestMessage request, CancellationToken stop)
    {
        using var ask = new HttpRequestMessage(
            HttpMethod.Post, new Uri(Town.Server.Http.BaseAddress!, Prefix + "/challenge"));
        ask.Headers.Host = new Uri(Issuer).Authority;
        using var answer = await base.SendAsync(ask, stop);
        var challenge = JsonElement.Parse(await answer.Content.ReadAsStringAsync(stop))
            .GetProperty("attestation_challenge").GetString();
        var said = Claims(3600);
        (said["iss"], said["cnf"]) = ("https://attester.example", new JsonObject { ["jwk"] = copy.Jwk });
        var proof = new JsonObject
        {
            ["aud"] = Issuer,
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["iat"] = Town.Now,
            ["challenge"] = challenge,
        };
        request.Headers.TryAddWithoutValidation(
            "OAuth-Client-Attestation", AttestedApp.Attester.Sign(said, "oauth-client-attestation+jwt"));
        request.Headers.TryAddWithoutValidation(
            "OAuth-Client-Attestation-PoP",
            copy.Sign("""{"alg":"ES256","typ":"oauth-client-attestation-pop+jwt"}""", proof.ToJsonString()));
    }

    protected override void Dispose(bool disposing)
    {
        Key.Dispose();
        copy.Dispose();
        base.Dispose(disposing);
    }
}
