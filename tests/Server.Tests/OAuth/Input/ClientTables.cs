using System.Text.Json.Nodes;
using Postern.OAuth.ClientAuth;

namespace Postern.Tests.OAuth.Input;

internal static partial class Tables
{
    private const string Basic = "Authorization";

    /// <summary>The same request of a client that proves itself by its header.</summary>
    private static Attempt WithHeader(InputTown town, Attempt attempt, string id, string secret) => attempt with
    {
        Fields = [.. attempt.Fields, (Basic, App.Basic(id, secret))],
        Only = [Basic],
        Others = new(attempt.Others)
        {
            [(Basic, Wrong.Long)] = Be("Basic " + new string('x', 17_000)),
            [(Basic, Wrong.Encoding)] = Be($"Basic {Attempt.NoText}"),
            [(Basic, Wrong.OtherClient)] = Be(App.Basic(id, App.PeerSecret)),
            [(Basic, Wrong.OtherTenant)] = Be(App.Basic(town.Acme.App.Id, "")),
            [(Basic, Wrong.OtherPurpose)] = async () =>
                "Bearer " + (await App.Web(town.Server).LetInAsync(town.Ada)).AccessToken,
        },
    };

    private static Task<Attempt> OwnByHeaderAsync(InputTown town) => Task.FromResult(WithHeader(
        town,
        new([("grant_type", "client_credentials")], fields => town.PostAsync("/token", fields)),
        "bench",
        App.BenchSecret));

    /// <summary>The same request of a client that signs, with an assertion made anew for each.</summary>
    private static Attempt Asserted(InputTown town, string path, string client, params (string, string?)[] fields) =>
        new(
            [.. fields, ("client_assertion", null), ("client_assertion_type", AssertionType)],
            async sent =>
            {
                var outcome = await town.PostAsync(path, sent);
                if (path is "/bc-authorize")
                {
                    await town.AllowAllAsync();
                }

                return outcome;
            })
        {
            Only = ["client_assertion", "client_assertion_type"],
            Made = new() { ["client_assertion"] = () => Assertion(town, of: client) },
            Others = new()
            {
                [("client_assertion", Wrong.OtherClient)] = Be(Assertion(town, key: Foreign, of: client)),
                [("client_assertion", Wrong.OtherTenant)] = Be(
                    Assertion(town, town.Acme.Tenant.Issuer, of: client)),
                [("client_assertion", Wrong.OtherPurpose)] = Be(Signed(town)),
                [("client_assertion", Wrong.Expired)] = Be(Assertion(town, life: -1, of: client)),
                [("client_assertion", Wrong.Replayed)] = () => UsedAsync(town, client),
                [("client_assertion_type", Wrong.OtherPurpose)] = Be(ClientCredentials.SvidType),
            },
        };

    private static async Task<string> UsedAsync(InputTown town, string client)
    {
        var assertion = Assertion(town, of: client);
        await town.PostAsync("/revoke",
            [("token", "x"), ("client_assertion", assertion), ("client_assertion_type", AssertionType)]);
        return assertion;
    }

    private static Task<Attempt> PushSignedAsync(InputTown town) => Task.FromResult(Asserted(
        town,
        "/par",
        "keyed",
        new App(town.Server, "keyed", "https://keyed.example/cb").Usual));

    private static Task<Attempt> DeviceSignedAsync(InputTown town) => Task.FromResult(Asserted(
        town,
        "/device_authorization",
        "signs",
        ("scope", "mcp:read"),
        ("resource", App.Web(town.Server).Resource)));

    private static Task<Attempt> BackchannelSignedAsync(InputTown town) => Task.FromResult(Asserted(
        town,
        "/bc-authorize",
        "signs",
        ("scope", "openid mcp:read"),
        ("resource", App.Web(town.Server).Resource),
        ("login_hint", Person.Ada)));

    private static Task<Attempt> IntrospectSignedAsync(InputTown town) =>
        Task.FromResult(Asserted(town, "/introspect", "keyed", ("token", "x")));

    private static Task<Attempt> RevokeSignedAsync(InputTown town) =>
        Task.FromResult(Asserted(town, "/revoke", "keyed", ("token", "x")));

    // The proof of a copy's key stands in a header of its own.
    private static async Task<Attempt> AttestedAsync(InputTown town)
    {
        var copy = await CopyAsync(town, "copy");
        const string proof = "OAuth-Client-Attestation-PoP";
        return Attested(town, copy, proof, () => copy.Proof(), new()
        {
            [(proof, Wrong.OtherClient)] = () => Task.FromResult(copy.Proof(by: Key)),
            [(proof, Wrong.OtherTenant)] = Be(copy.Proof(claims => claims["aud"] = town.Acme.Tenant.Issuer)),
            [(proof, Wrong.OtherPurpose)] = Be(copy.Key.Proof(AskOf(town, HttpMethod.Post, "/token"))),
            [(proof, Wrong.Expired)] = Be(copy.Proof(claims => claims["iat"] = town.Now - 3600)),
            [(proof, Wrong.Replayed)] = () => RepeatedAsync(copy, proof, copy.Proof()),
        });
    }

    // The proof of a copy's key is that of the request.
    private static async Task<Attempt> AttestedDpopAsync(InputTown town)
    {
        var copy = await CopyAsync(town, "copy-dpop");
        string Proof(Action<JsonObject>? claims = null, DpopKey? by = null) => (by ?? copy.Key).Proof(
            AskOf(town, HttpMethod.Post, "/token"), claims, nonce: copy.Challenge);
        return Attested(town, copy, Proofs, () => Proof(), new()
        {
            [(Proofs, Wrong.OtherClient)] = () => Task.FromResult(Proof(by: Key)),
            [(Proofs, Wrong.OtherTenant)] = Be(Proof(claims => claims["htu"] = town.Acme.Tenant.Address("/token"))),
            [(Proofs, Wrong.OtherPurpose)] = Be(copy.Proof()),
            [(Proofs, Wrong.Expired)] = Be(Proof(claims => claims["iat"] = town.Now - 3600)),
            [(Proofs, Wrong.Replayed)] = () => RepeatedAsync(copy, Proofs, Proof()),
        });
    }

    private static async Task<AttestedApp> CopyAsync(InputTown town, string id)
    {
        var copy = new AttestedApp(town.Server, id);
        await copy.MeetAsync();
        return copy;
    }

    private static Attempt Attested(
        InputTown town,
        AttestedApp copy,
        string proof,
        Func<string> make,
        Dictionary<(string, Wrong), Func<Task<string>>> others)
    {
        const string header = "OAuth-Client-Attestation";
        others[(header, Wrong.OtherClient)] = Be(copy.Attestation(claims => claims["sub"] = "web"));
        others[(header, Wrong.OtherPurpose)] = Be(copy.Attestation(typ: "JWT"));
        others[(header, Wrong.Expired)] = Be(copy.Attestation(claims => claims["exp"] = town.Now - 1));
        others[("client_id", Wrong.OtherClient)] = Be("peer");
        others[("client_id", Wrong.OtherTenant)] = Be(town.Acme.App.Id);
        return new(
            [
                ("grant_type", "client_credentials"),
                ("client_id", copy.App.Id),
                (header, copy.Attestation()),
                (proof, null),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Only = ["client_id", header, proof],
            Made = new() { [proof] = make },
            Others = others,
        };
    }

    private static async Task<string> RepeatedAsync(AttestedApp copy, string name, string proof)
    {
        var reply = await copy.PostAsync(
            "/token",
            [("grant_type", "client_credentials")],
            ("OAuth-Client-Attestation", copy.Attestation()),
            (name, proof));
        Assert.Null(reply.Error);
        return proof;
    }
}
