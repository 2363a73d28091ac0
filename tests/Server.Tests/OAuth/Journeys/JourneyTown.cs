using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Postern.Audit;
using Postern.Servers;
using Postern.Tests.Tenants;
using static Postern.Tests.Combinations;

namespace Postern.Tests.OAuth.Journeys;

/// <summary>A server behind a proxy, two tenants of it, and a client for each journey.</summary>
public sealed partial class JourneyTown : IAsyncLifetime
{
    internal const string Idp = "https://idp.example", Platform = "https://platform.example",
        Redirect = "https://site.example/cb", Secret = "journey-secret-journey-secret-journey-s";

    private const string Prefix = "urn:ietf:params:oauth:grant-type:";

    internal static readonly string[] Servers = ["echo", "hidden", "proven", "hiddenproven", "shown", "hiddenshown"];

    private readonly Authority authority = new("CN=example.org");
    private readonly DocumentHost documents = new();
    private readonly string bundle = Path.GetTempFileName();
    private readonly Dictionary<string, Dress> known = [];
    private readonly Dictionary<string, X509Certificate2> own = [];
    private readonly Dictionary<string, string?> secrets = [];

    internal Signer Keys { get; } = new("k1");

    internal Outside Domain { get; } = new();

    internal TestServer Server { get; private set; } = null!;

    internal Person Ada { get; private set; } = null!;

    internal Dictionary<string, (Estate Estate, Person Ada)> Estates { get; } = [];

    internal long Now => Server.Clock.GetUtcNow().ToUnixTimeSeconds();

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(bundle, Bundle());
        Server = await TestServer.StartAsync(Yaml().Replace(
            "http: http://127.0.0.1:9/mcp",
            "http: http://127.0.0.1:9/mcp, declares: [{ name: pay, spends: { amount: n, currency: EUR } }]",
            StringComparison.Ordinal));
        // What was used before the start is remembered for a minute by asking for nonces.
        Server.Clock.Advance(TimeSpan.FromSeconds(71));
        Ada = new(Server);
        await Ada.SignInAsync();
        foreach (var (place, host) in new[] { (Below, (string?)null), (OnHost, "acme.example") })
        {
            var estate = await Estate.AddAsync(Server, host is null ? "below" : "beside", host);
            foreach (var name in (string[])["hidden", "proven", "hiddenproven"])
            {
                var server = new ServerSettings(
                    name, null, "https://echo.example/mcp", new Dictionary<string, string>(),
                    RequireDpop: name is not "hidden",
                    Token: name is "proven" ? null : new(Format: "opaque"));
                var by = new AuditEntry { Tenant = estate.Tenant.Id, Kind = AuditKinds.ServerAdded };
                Assert.True(await Server.Get<ServerBook>().AddAsync(estate.Tenant.Id, server, by));
            }

            await DeclareAsync(estate.Tenant.Id);
            var ada = estate.Visit();
            Estates[place] = (estate, ada);
            await ada.OpenAsync(estate.Tenant.Path + "/signin");
        }
    }

    // What is said of their tools, so that details can be kept.
    private async Task DeclareAsync(TenantId tenant)
    {
        var book = Server.Get<ServerBook>();
        var by = new AuditEntry { Tenant = tenant, Kind = AuditKinds.AdminChanged };
        foreach (var server in book.All(tenant))
        {
            await book.ChangeAsync(
                tenant,
                server.Name,
                kept => kept with { Declares = [new("pay", Spends: new("n", "EUR"))] },
                by);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (estate, ada) in Estates.Values)
        {
            ada.Dispose();
            estate.Dispose();
        }

        known.Values.ToList().ForEach(one => one.Dispose());
        Ada.Dispose();
        await Server.DisposeAsync();
        await documents.DisposeAsync();
        authority.Dispose();
        File.Delete(bundle);
    }

    /// <summary>The client of a journey, registered as its place has it.</summary>
    internal async Task<Dress> ClientAsync(Journey journey)
    {
        var name = NameOf(journey);
        if (known.TryGetValue(name, out var there))
        {
            return there;
        }

        if (!journey.IsAtTenant)
        {
            return known[name] = Of(journey, IdOf(name, journey.Proof), Server.Issuer, "");
        }

        var estate = Estates[journey.Features.First(Neighbours.Contains)].Estate;
        var id = journey switch
        {
            { IsAgents: true } => await HireAsync(estate),
            { Proof: Attested } => Document(journey, name),
            _ => await RegisterAsync(estate, journey, name),
        };
        return known[name] = Of(journey, id, estate.Tenant.Issuer, estate.Tenant.Path);
    }

    /// <summary>Somebody with a secret, for the steps that the journey's own client cannot take.</summary>
    internal Dress Teller(string? bound) => known.TryGetValue($"teller {bound}", out var there)
        ? there
        : known[$"teller {bound}"] =
            Of(Journey.Parse(bound is null ? Own : $"{Own} + {bound}"), TellerId(bound), Server.Issuer, "");

    /// <summary>A program that its platform vouches for, and nobody else.</summary>
    internal Dress Stranger(string? bound) => new() { Town = this, Id = "", Issuer = Server.Issuer, Bound = bound };

    /// <summary>Somebody at the same place who has only the token.</summary>
    internal Dress Bare(Dress dress) =>
        new() { Town = this, Id = "", Issuer = dress.Issuer, Prefix = dress.Prefix };

    /// <summary>What is said of a token: by itself, or to who asks.</summary>
    internal async Task<JsonElement> ToldAsync(Reply reply) =>
        reply.AccessToken.StartsWith("pat_", StringComparison.Ordinal)
            ? (await App.Watch(Server).IntrospectAsync(reply.AccessToken)).Json
            : reply.Claims;

    /// <summary>The claims of an answer that this place signed.</summary>
    internal async Task<JsonElement> VerifiedAsync(Dress dress, string jwt)
    {
        using var http = Bare(dress).Connect();
        return (await Jwt.ReadAsync(http, jwt)).Claims;
    }

    private static string TellerId(string? bound) => $"teller-{bound?.ToLowerInvariant() ?? "plain"}";

    private Dress Of(Journey journey, string id, string issuer, string prefix) => new()
    {
        Town = this,
        Id = id,
        Issuer = issuer,
        Prefix = prefix,
        Proof = journey.Proof,
        Bound = journey.Bound,
        Shown = CertificateOf(journey, id),
    };
}
