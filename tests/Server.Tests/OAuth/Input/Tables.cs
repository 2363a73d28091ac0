namespace Postern.Tests.OAuth.Input;

/// <summary>The requests that docs/refusals.md is made of. A new endpoint or grant type adds its line.</summary>
internal static partial class Tables
{
    private const string
        Exchange = Walker.Exchange,
        AccessType = "urn:ietf:params:oauth:token-type:access_token",
        IdType = "urn:ietf:params:oauth:token-type:id_token",
        RefreshType = "urn:ietf:params:oauth:token-type:refresh_token",
        IdJagType = "urn:ietf:params:oauth:token-type:id-jag",
        TxnType = "urn:ietf:params:oauth:token-type:txn_token",
        AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private const string Spend = """[{"type":"spend","currency":"EUR","max_total":5}]""";

    public static IReadOnlyList<(string Name, Func<InputTown, Task<Attempt>> Make)> All =>
    [
        ("GET /authorize", AuthorizeAsync),
        ("GET /authorize, signed", SignedAsync),
        ("GET /authorize, pushed before", PushedAsync),
        ("GET /authorize, gone on with", GoOnAsync),
        ("GET /authorize, members of `claims`", ClaimsAsync),
        ("POST /authorize", AuthorizeByFormAsync),
        ("POST /par", town => ProvenAsync(town, "/par", PushAsync(town))),
        ("POST /par, members of `request`", PushMembersAsync),
        ("POST /par with private_key_jwt", PushSignedAsync),
        ("POST /token, authorization_code", town => AtTokenAsync(town, CodeAsync(town))),
        ("POST /token, refresh_token", town => AtTokenAsync(town, RefreshAsync(town))),
        ("POST /token, refresh_token that is bound to a key", RefreshBoundAsync),
        ("POST /token, client_credentials with private_key_jwt", town => AtTokenAsync(town, OwnAsync(town))),
        ("POST /token, client_credentials with client_secret_basic", OwnByHeaderAsync),
        ("POST /token, client_credentials with attest_jwt_client_auth", AttestedAsync),
        ("POST /token, client_credentials with attest_jwt_client_auth_dpop", AttestedDpopAsync),
        ("POST /token, client_credentials that may wait", town => AtTokenAsync(town, DeferAsync(town))),
        ("POST /token, token exchange", town => AtTokenAsync(town, ExchangeAsync(town))),
        ("POST /token, token exchange with an actor_token", ActAsync),
        ("POST /token, token exchange for an ID-JAG", town => AtTokenAsync(town, SayWhoAsync(town))),
        ("POST /token, token exchange for a transaction token", town => AtTokenAsync(town, TransactAsync(town))),
        ("POST /token, jwt-bearer", town => AtTokenAsync(town, AssertAsync(town))),
        ("POST /token, jwt-bearer of a workload", town => AtTokenAsync(town, WorkAsync(town))),
        ("POST /token, device_code", town => AtTokenAsync(town, PollDeviceAsync(town))),
        ("POST /token, ciba", town => AtTokenAsync(town, PollBackchannelAsync(town))),
        ("POST /token, deferred", town => AtTokenAsync(town, PollDeferredAsync(town))),
        ("POST /device_authorization", town => ProvenAsync(town, "/device_authorization", DeviceAsync(town))),
        ("POST /device_authorization with private_key_jwt", DeviceSignedAsync),
        ("POST /bc-authorize", town => ProvenAsync(town, "/bc-authorize", BackchannelAsync(town))),
        ("POST /bc-authorize with id_token_hint", BackchannelByTokenAsync),
        ("POST /bc-authorize, members of `request`", BackchannelMembersAsync),
        ("POST /bc-authorize with private_key_jwt", BackchannelSignedAsync),
        ("POST /introspect", IntrospectAsync),
        ("POST /introspect with private_key_jwt", IntrospectSignedAsync),
        ("POST /revoke", RevokeAsync),
        ("POST /revoke with private_key_jwt", RevokeSignedAsync),
        ("POST /revoke/person", RevokePersonAsync),
        ("GET /revocations", FollowAsync),
        ("GET /statuslists/{list}", StatusAsync),
        ("GET /userinfo", UserInfoAsync),
        ("GET /userinfo with a bound token", UserInfoBoundAsync),
        ("POST /userinfo", UserInfoByPostAsync),
        ("POST /mcp/{server} with a bound token", GatewayAsync),
        ("POST /register", RegisterAsync),
        ("GET /register/{id}", town => ManageAsync(town, HttpMethod.Get, "")),
        ("PUT /register/{id}", ReplaceAsync),
        ("POST /register/{id}/secret", town => ManageAsync(town, HttpMethod.Post, "/secret")),
        ("DELETE /register/{id}", town => ManageAsync(town, HttpMethod.Delete, "")),
        ("GET /logout", LogoutAsync),
        ("POST /logout", LogoutByFormAsync),
        ("POST /logout/confirm", ConfirmLogoutAsync),
        ("GET /consent", AskAsync),
        ("POST /consent", AnswerAsync),
        ("GET /device", BringAsync),
        ("POST /device", TypeAsync),
        ("GET /i/{name}", ShowAskAsync),
        ("POST /i/{name}", AnswerAskAsync),
        .. Certificates,
        .. Account,
        .. Administration,
        .. Entries,
    ];

    /// <summary>The routes of which no parameter can be wrong, and why.</summary>
    public static readonly Dictionary<string, string> Readless = new(StringComparer.Ordinal)
    {
        ["* /api/{**rest}"] = "there is nothing, whatever is asked; its door is that of all others there",
        ["* /challenge"] = "it tells what proofs must repeat, made of the time alone",
        ["GET /.well-known/oauth-protected-resource"] = "it describes the only server, where there is only one",
        ["OPTIONS /.well-known/oauth-protected-resource"] = "it is answered as if it were asked for",
        ["GET /healthz"] = "it says that the process runs, to anybody, by any name",
        ["GET /readyz"] = "it says whether it can serve, to anybody, by any name",
    };

    private static Func<Task<string>> Be(string value) => () => Task.FromResult(value);

    /// <summary>What is wrong with the two by which a client proves itself, everywhere the same.</summary>
    private static Dictionary<(string, Wrong), Func<Task<string>>> OfClient(
        InputTown town, Dictionary<(string, Wrong), Func<Task<string>>> more)
    {
        more[("client_id", Wrong.OtherClient)] = Be("peer");
        more[("client_id", Wrong.OtherTenant)] = Be(town.Acme.App.Id);
        more[("client_secret", Wrong.OtherClient)] = Be(App.PeerSecret);
        more[("client_secret", Wrong.OtherPurpose)] = async () =>
            (await App.Web(town.Server).LetInAsync(town.Ada)).RefreshToken;
        more[("resource", Wrong.OtherTenant)] = Be(town.Acme.App.Resource);
        more[("resource", Wrong.OtherPurpose)] = Be($"{town.Server.Issuer}/userinfo");
        more[("scope", Wrong.OtherPurpose)] = Be("admin");
        return more;
    }

    private static async Task<T> LaterAsync<T>(InputTown town, TimeSpan time, Task<T> value)
    {
        var made = await value;
        town.Server.Clock.Advance(time);
        return made;
    }
}
