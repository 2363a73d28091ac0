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

    public static readonly (string Name, Func<InputTown, Task<Attempt>> Make)[] All =
    [
        ("GET /authorize", AuthorizeAsync),
        ("GET /authorize, signed", SignedAsync),
        ("GET /authorize, pushed before", PushedAsync),
        ("POST /par", PushAsync),
        ("POST /token, authorization_code", CodeAsync),
        ("POST /token, refresh_token", RefreshAsync),
        ("POST /token, client_credentials with private_key_jwt", OwnAsync),
        ("POST /token, token exchange", ExchangeAsync),
        ("POST /token, token exchange for an ID-JAG", SayWhoAsync),
        ("POST /token, token exchange for a transaction token", TransactAsync),
        ("POST /token, jwt-bearer", AssertAsync),
        ("POST /token, device_code", PollDeviceAsync),
        ("POST /token, ciba", PollBackchannelAsync),
        ("POST /token, deferred", PollDeferredAsync),
        ("POST /device_authorization", DeviceAsync),
        ("POST /bc-authorize", BackchannelAsync),
        ("POST /introspect", IntrospectAsync),
        ("POST /revoke", RevokeAsync),
        ("GET /userinfo", UserInfoAsync),
        ("POST /register", RegisterAsync),
        ("GET /register/{id}", ReadRegistrationAsync),
        ("GET /logout", LogoutAsync),
    ];

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

    private static async Task<string> LaterAsync(InputTown town, TimeSpan time, Task<string> value)
    {
        var made = await value;
        town.Server.Clock.Advance(time);
        return made;
    }
}
