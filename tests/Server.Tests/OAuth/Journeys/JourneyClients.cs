using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Postern.Grants.Parties;
using Postern.Identity.Users;
using Postern.Tests.Tenants;
using static Postern.Tests.Combinations;

namespace Postern.Tests.OAuth.Journeys;

/// <content>How the clients are registered: by the configuration, by themselves, or hired.</content>
public sealed partial class JourneyTown
{
    private X509Certificate2? CertificateOf(Journey journey, string id) => journey switch
    {
        { Proof: OwnTls } => OwnOf(NameOf(journey)),
        { Proof: Tls } => authority.Issue($"CN={NameOf(journey)}"),
        { Proof: Spiffe, Bound: Certificate } => authority.Issue("CN=x", names => names.AddUri(new(id))),
        { Bound: Certificate } => Authority.SelfSigned("CN=holder"),
        _ => null,
    };

    private X509Certificate2 OwnOf(string name) =>
        own.TryGetValue(name, out var there) ? there : own[name] = Authority.SelfSigned($"CN={name}");

    // What of a journey its client is registered with.
    private static string NameOf(Journey journey) => string.Join('-', journey.Features
        .Where(feature => Methods.Contains(feature) || Bounds.Contains(feature) || Neighbours.Contains(feature)
            || feature is Fapi or Pairwise or Deferred
            || (feature is Signed && journey.Has(Backchannel)))
        .Append(journey.IsAgents ? "agent" : "app")
        .Select(feature => new string([.. feature.Where(char.IsAsciiLetterOrDigit)]).ToLowerInvariant()));

    private static string IdOf(string name, string? proof) => proof is Spiffe ? $"spiffe://example.org/{name}" : name;

    private string JwksOf(Journey journey)
    {
        var keys = JsonNode.Parse(Keys.Jwks)!;
        if (journey.Proof is OwnTls)
        {
            var shown = JsonNode.Parse(Authority.Jwks(OwnOf(NameOf(journey))))!;
            keys["keys"]!.AsArray().Add(shown["keys"]![0]!.DeepClone());
        }

        return keys.ToJsonString();
    }

    private static JsonObject Members(Journey journey, string name)
    {
        var members = new JsonObject
        {
            ["token_endpoint_auth_method"] = journey.Proof switch
            {
                SharedSecret => "client_secret_post",
                PrivateKey => "private_key_jwt",
                OwnTls => "self_signed_tls_client_auth",
                Attested => "attest_jwt_client_auth",
                Spiffe => journey.Bound is Certificate ? "spiffe_x509" : "spiffe_jwt",
                var other => other,
            },
            ["redirect_uris"] = new JsonArray(Redirect),
        };
        if (journey.Proof is Tls)
        {
            members["tls_client_auth_subject_dn"] = $"CN={name}";
        }

        if (journey.Bound is { } bound)
        {
            members[bound is Dpop ? "dpop_bound_access_tokens" : "tls_client_certificate_bound_access_tokens"] = true;
        }

        if (journey.Has(Pairwise))
        {
            members["subject_type"] = "pairwise";
        }

        return members;
    }

    private static string[] GrantTypes(Journey journey) => journey switch
    {
        { IsAtTenant: true } or { Proof: None } => ["authorization_code", "refresh_token", Prefix + "device_code"],
        _ when journey.Has(Deferred) =>
            ["client_credentials", "refresh_token", Butler.Deferred, Prefix + "token-exchange"],
        _ =>
        [
            "authorization_code", "refresh_token", "client_credentials", Butler.GrantType, Prefix + "device_code",
            Prefix + "token-exchange", Prefix + "jwt-bearer",
        ],
    };

    private async Task<string> RegisterAsync(Estate estate, Journey journey, string name)
    {
        // A network registers only so many in an hour.
        Server.Clock.Advance(TimeSpan.FromMinutes(4));
        var members = Members(journey, name);
        members["jwks"] = JsonNode.Parse(JwksOf(journey));
        members["grant_types"] = new JsonArray([.. GrantTypes(journey).Select(type => (JsonNode)type)]);
        using var answer = await estate.Http.PostAsJsonAsync("/register", members);
        var reply = await Reply.ReadAsync(answer);
        secrets[reply.Member("client_id") ?? throw new InvalidOperationException(reply.Text)] =
            reply.Member("client_secret");
        return reply.Member("client_id")!;
    }

    internal string? SecretOf(Dress dress) => dress.Proof switch
    {
        _ when secrets.TryGetValue(dress.Id, out var told) => told,
        SharedSecret => Secret,
        null when dress.Id.StartsWith("teller", StringComparison.Ordinal) => Secret,
        _ => null,
    };

    private string Document(Journey journey, string name)
    {
        var members = Members(journey, name);
        members.Remove("redirect_uris");
        members["jwks"] = JsonNode.Parse(JwksOf(journey));
        members["grant_types"] = new JsonArray([.. GrantTypes(journey).Select(type => (JsonNode)type)]);
        return documents.Client(PathOf(name), "," + members.ToJsonString()[1..^1], Redirect);
    }

    private static string PathOf(string name) => $"/{name}.json";

    private async Task<string> HireAsync(Estate estate)
    {
        var now = Server.Clock.GetUtcNow();
        var ada = await Server.Get<UserStore>()
            .FindByEmailAsync(estate.Tenant.Id, Person.Ada, default);
        var id = Agent.NewId(now, RandomNumberGenerator.Create());
        var agent = new Agent
        {
            Tenant = estate.Tenant.Id,
            Id = id,
            Name = "An agent",
            Owner = ada!.Id,
            Purpose = "Goes where it is sent",
            EndsAt = now.AddYears(1),
            Jwks = Keys.Jwks,
            Servers = Servers,
            Clients = [new(id)],
            CreatedAt = now,
        };
        Assert.True(await Server.Get<AgentBook>().SaveAsync(agent, null));
        await Server.Get<AgentBook>().LoadAsync(default);
        return id;
    }
}
