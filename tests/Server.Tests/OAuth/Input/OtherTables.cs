namespace Postern.Tests.OAuth.Input;

internal static partial class Tables
{
    private static async Task<Attempt> IntrospectAsync(InputTown town)
    {
        var web = App.Web(town.Server);
        var tokens = await web.LetInAsync(town.Ada);
        return new(
            [
                ("token", tokens.AccessToken),
                ("token_type_hint", "access_token"),
                ("Accept", "application/json"),
                ("client_id", "watch"),
                ("client_secret", App.WatchSecret),
            ],
            async fields =>
            {
                var reply = await town.SendAsync("/introspect", fields);
                return reply.Text is """{"active":false}""" ? "not active"
                    : reply.Text.StartsWith("ey", StringComparison.Ordinal) ? "accepted, signed"
                    : InputTown.Word(reply);
            })
        {
            Others = OfClient(town, new()
            {
                [("Accept", Wrong.OtherPurpose)] = Be("application/token-introspection+jwt"),
                [("token", Wrong.OtherClient)] = async () => (await town.AppOf("site")
                    .LetInAsync(town.Ada, RelyingTown.Identity("openid"))).AccessToken,
                [("token", Wrong.OtherTenant)] = async () => (await town.TokensOfAcmeAsync()).AccessToken,
                [("token", Wrong.OtherPurpose)] = Be(tokens.RefreshToken),
                [("token", Wrong.Expired)] = () => LaterAsync(
                    town, TimeSpan.FromMinutes(11), Task.FromResult(tokens.AccessToken)),
                [("token_type_hint", Wrong.OtherPurpose)] = Be("refresh_token"),
            }),
        };
    }

    // Nobody is told whether a token was there, so what counts is whether it is still good.
    private static async Task<Attempt> RevokeAsync(InputTown town)
    {
        var (web, peer) = (App.Web(town.Server), App.Peer(town.Server));
        var tokens = await web.LetInAsync(town.Ada);
        var others = await peer.LetInAsync(town.Ada);
        return new(
            [
                ("token", tokens.AccessToken),
                ("token_type_hint", "access_token"),
                ("client_id", "web"),
                ("client_secret", App.WebSecret),
            ],
            async fields =>
            {
                var word = await town.PostAsync("/revoke", fields);
                var isAlive = await App.Watch(town.Server).IsAliveAsync(tokens.AccessToken)
                    && await App.Watch(town.Server).IsAliveAsync(others.AccessToken);
                return word is Attempt.Good && isAlive ? "nothing ends" : word;
            })
        {
            Others = OfClient(town, new()
            {
                [("token", Wrong.OtherClient)] = Be(others.AccessToken),
                [("token", Wrong.OtherTenant)] = async () => (await town.TokensOfAcmeAsync()).AccessToken,
                [("token", Wrong.OtherPurpose)] = () => CodeOfAsync(town.Ada, web),
                [("token_type_hint", Wrong.OtherPurpose)] = Be("refresh_token"),
            }),
        };
    }

    private static async Task<Attempt> UserInfoAsync(InputTown town)
    {
        var tokens = await town.AppOf("site").LetInAsync(town.Ada, RelyingTown.Identity("openid"));
        return new(
            [("Authorization", $"Bearer {tokens.AccessToken}")],
            async fields => InputTown.Word(await town.SendAsync(HttpMethod.Get, "/userinfo", fields)))
        {
            // RFC 6750 §2.3, OAuth 2.1 §5.1.2: addresses are logged.
            Left = [("access_token", "x")],
            Others = new()
            {
                [("Authorization", Wrong.Long)] = Be("Bearer " + new string('x', 17_000)),
                [("Authorization", Wrong.Type)] = Be($"Basic {tokens.AccessToken}"),
                [("Authorization", Wrong.Encoding)] = Be($"Bearer {Attempt.NoText}"),
                [("Authorization", Wrong.OtherClient)] = async () =>
                    "Bearer " + (await App.Web(town.Server).LetInAsync(town.Ada)).AccessToken,
                [("Authorization", Wrong.OtherTenant)] = async () =>
                    "Bearer " + (await town.TokensOfAcmeAsync(RelyingTown.Identity("openid"))).AccessToken,
                [("Authorization", Wrong.OtherPurpose)] = Be($"Bearer {tokens.Member("id_token")}"),
                [("Authorization", Wrong.Expired)] = () => LaterAsync(
                    town, TimeSpan.FromMinutes(11), Task.FromResult($"Bearer {tokens.AccessToken}")),
            },
        };
    }

    private static async Task<Attempt> LogoutAsync(InputTown town)
    {
        var bob = new Person(town.Server, Person.Bob);
        return await LogoutAsync(town, bob, fields => InputTown.OpenAsync(bob, "/logout", fields));
    }

    private static async Task<Attempt> LogoutAsync(
        InputTown town, Person bob, Func<(string Name, string? Value)[], Task<string>> sendAsync)
    {
        var site = town.AppOf("site");
        var hint = (await site.LetInAsync(bob, RelyingTown.Identity("openid"))).Member("id_token")!;
        return new(
            [
                ("id_token_hint", hint),
                ("client_id", "site"),
                ("post_logout_redirect_uri", "https://site.example/bye"),
                ("state", "s"),
            ],
            sendAsync)
        {
            Others = new()
            {
                [("id_token_hint", Wrong.OtherClient)] = async () => (await town.AppOf("pair")
                    .LetInAsync(bob, RelyingTown.Identity("openid"))).Member("id_token")!,
                [("id_token_hint", Wrong.OtherTenant)] = async () =>
                    (await town.TokensOfAcmeAsync(RelyingTown.Identity("openid"))).Member("id_token")!,
                [("id_token_hint", Wrong.OtherPurpose)] = async () => (await site.LetInAsync(bob)).AccessToken,
                [("id_token_hint", Wrong.Expired)] = () =>
                    LaterAsync(town, TimeSpan.FromMinutes(30), Task.FromResult(hint)),
                [("client_id", Wrong.OtherClient)] = Be("pair"),
                [("client_id", Wrong.OtherTenant)] = Be(town.Acme.App.Id),
                [("post_logout_redirect_uri", Wrong.OtherClient)] = Be("https://pair.example/cb"),
                [("post_logout_redirect_uri", Wrong.OtherPurpose)] = Be("https://site.example/cb"),
            },
        };
    }
}
