namespace Postern.Tests.OAuth.Input;

internal static partial class Tables
{
    private const string Proofs = "DPoP";

    /// <summary>The same request with a proof of a key (RFC 9449 §5), made anew for each.</summary>
    private static async Task<Attempt> ProvenAsync(InputTown town, string path, Task<Attempt> making)
    {
        var attempt = await making;
        var made = WithProof(attempt, town, HttpMethod.Post, path);
        made.Others[(Proofs, Wrong.Replayed)] = async () =>
        {
            var proof = Key.Proof(AskOf(town, HttpMethod.Post, path));
            if (path is "/token")
            {
                using var bench = DpopApp.Bench(town.Server);
                await bench.SendAsync([("grant_type", "client_credentials")], proof);
            }
            else
            {
                await made.SendAsync([.. attempt.Fields, (Proofs, proof)]);
            }

            return proof;
        };
        return made;
    }

    private static Attempt WithProof(
        Attempt attempt, InputTown town, HttpMethod method, string path, string? token = null)
    {
        var others = new Dictionary<(string, Wrong), Func<Task<string>>>(attempt.Others)
        {
            [(Proofs, Wrong.Type)] = () => Task.FromResult(
                Key.Proof(AskOf(town, method, path, token), header: header => header["typ"] = "jwt")),
            [(Proofs, Wrong.OtherTenant)] = () => Task.FromResult(
                Key.Proof(AskOf(town, method, path, token) with { Url = town.Acme.Tenant.Address(path) })),
            [(Proofs, Wrong.OtherPurpose)] = () => Task.FromResult(
                Key.Proof(AskOf(town, method, "/elsewhere", token))),
            [(Proofs, Wrong.Expired)] = () => Task.FromResult(
                Key.Proof(AskOf(town, method, path, token) with { Now = town.Now - 3600 })),
        };
        return attempt with
        {
            Fields = [.. attempt.Fields, (Proofs, null)],
            Made = new(attempt.Made) { [Proofs] = () => Key.Proof(AskOf(town, method, path, token)) },
            Others = others,
        };
    }

    private static ProofAsk AskOf(InputTown town, HttpMethod method, string path, string? token = null) =>
        new(method.Method, town.Server.Issuer + path, town.Now, token);

    /// <summary>The same with authorization details, which the grant holds none of (RFC 9396 §6).</summary>
    private static async Task<Attempt> DetailedAsync(Task<Attempt> making)
    {
        var attempt = await making;
        return attempt with
        {
            Left = [.. attempt.Left, ("authorization_details", Spend)],
            Others = new(attempt.Others)
            {
                [("authorization_details", Wrong.OtherClient)] = Be(Spend),
                [("authorization_details", Wrong.OtherPurpose)] = Be("""[{"type":"openid_credential"}]"""),
            },
        };
    }

    private static Task<Attempt> AtTokenAsync(InputTown town, Task<Attempt> making) =>
        ProvenAsync(town, "/token", DetailedAsync(making));

    // The tokens of this client are always bound.
    private static async Task<Attempt> RefreshBoundAsync(InputTown town)
    {
        var app = town.AppOf("holder");
        using var first = new DpopApp(town.Server, "holder", "https://holder.example/cb", WalkTown.Secret);
        var reply = await first.SendAsync(
            [
                ("grant_type", "authorization_code"), ("code", await CodeOfAsync(town.Ada, app)),
                ("code_verifier", app.Verifier),
            ],
            Key.Proof(AskOf(town, HttpMethod.Post, "/token")));
        var attempt = await ProvenAsync(town, "/token", Task.FromResult(new Attempt(
            [
                ("grant_type", "refresh_token"),
                ("refresh_token", reply.RefreshToken),
                ("client_id", "holder"),
                ("client_secret", WalkTown.Secret),
            ],
            fields => town.PostAsync("/token", fields))));
        return attempt with { Only = [Proofs] };
    }

    private static async Task<Attempt> UserInfoBoundAsync(InputTown town)
    {
        var app = town.AppOf("site");
        var code = await CodeOfAsync(town.Ada, app, RelyingTown.Identity("openid"));
        var bound = await BoundAsync(town, app, code);
        return Shown(
            town, HttpMethod.Get, "/userinfo", bound, (await App.Web(town.Server).LetInAsync(town.Ada)).AccessToken);
    }

    private static async Task<Attempt> GatewayAsync(InputTown town)
    {
        var resource = ("resource", (string?)$"{town.Server.Issuer}/mcp/notes");
        var web = App.Web(town.Server);
        var bound = await BoundAsync(town, web, await CodeOfAsync(town.Ada, web, resource));
        return Shown(town, HttpMethod.Post, "/mcp/notes", bound, (await web.LetInAsync(town.Ada)).AccessToken);
    }

    private static async Task<string> BoundAsync(InputTown town, App app, string code)
    {
        using var holder = new DpopApp(town.Server, app.Id, "", app.Secret);
        var reply = await holder.SendAsync(
            [("grant_type", "authorization_code"), ("code", code), ("code_verifier", app.Verifier)],
            Key.Proof(AskOf(town, HttpMethod.Post, "/token")));
        return reply.AccessToken;
    }

    // A bound token with its proof, at a place that is opened by tokens.
    private static Attempt Shown(InputTown town, HttpMethod method, string path, string token, string elsewhere)
    {
        var attempt = WithProof(
            new([("Authorization", $"DPoP {token}")], async fields => method == HttpMethod.Get
                ? InputTown.Word(await town.SendAsync(method, path, fields))
                : await town.CallAsync(path, fields)),
            town,
            method,
            path,
            token);
        attempt.Others[("Authorization", Wrong.Long)] = Be("DPoP " + new string('x', 17_000));
        attempt.Others[("Authorization", Wrong.Type)] = Be($"Basic {token}");
        attempt.Others[("Authorization", Wrong.Encoding)] = Be($"DPoP {Attempt.NoText}");
        attempt.Others[("Authorization", Wrong.OtherPurpose)] = Be($"DPoP {elsewhere}");
        attempt.Others[("Authorization", Wrong.OtherTenant)] = async () =>
            "DPoP " + (await town.TokensOfAcmeAsync()).AccessToken;
        attempt.Others[("Authorization", Wrong.OtherClient)] = Be($"Bearer {token}");
        attempt.Others[("Authorization", Wrong.Expired)] = () => LaterAsync(
            town, TimeSpan.FromMinutes(11), Task.FromResult($"DPoP {token}"));
        attempt.Others[(Proofs, Wrong.OtherClient)] = () =>
        {
            using var other = new DpopKey();
            return Task.FromResult(other.Proof(AskOf(town, method, path, token)));
        };
        attempt.Others[(Proofs, Wrong.Replayed)] = async () =>
        {
            var proof = Key.Proof(AskOf(town, method, path, token));
            await attempt.SendAsync([("Authorization", $"DPoP {token}"), (Proofs, proof)]);
            return proof;
        };
        return attempt;
    }
}
