using System.Net;
using System.Text;

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
                ("client_id", "watch"),
                ("client_secret", App.WatchSecret),
            ],
            async fields =>
            {
                var reply = await town.SendAsync("/introspect", fields);
                return reply.Text is """{"active":false}""" ? "not active" : InputTown.Word(reply);
            })
        {
            Others = OfClient(town, new()
            {
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
            fields => BearAsync(town, "/userinfo", fields))
        {
            Others = new()
            {
                [("Authorization", Wrong.Long)] = Be("Bearer " + new string('x', 17_000)),
                [("Authorization", Wrong.Type)] = Be($"Basic {tokens.AccessToken}"),
                [("Authorization", Wrong.Encoding)] = Be("Bearer %FF%FE"),
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

    private static async Task<Attempt> ReadRegistrationAsync(InputTown town)
    {
        var (own, other) = (await RegisteredAsync(town), await RegisteredAsync(town));
        return new(
            [("Authorization", "Bearer " + own.Member("registration_access_token"))],
            fields => BearAsync(town, "/register/" + own.Member("client_id"), fields))
        {
            Others = new()
            {
                [("Authorization", Wrong.Long)] = Be("Bearer " + new string('x', 17_000)),
                [("Authorization", Wrong.Type)] = Be("Basic " + own.Member("registration_access_token")),
                [("Authorization", Wrong.Encoding)] = Be("Bearer %FF%FE"),
                [("Authorization", Wrong.OtherClient)] = Be("Bearer " + other.Member("registration_access_token")),
                [("Authorization", Wrong.OtherPurpose)] = Be("Bearer " + own.Member("client_secret")),
            },
        };
    }

    private static Task<Reply> RegisteredAsync(InputTown town)
    {
        // As many as one network may register in an hour are not what is tried here.
        town.Server.Clock.Advance(TimeSpan.FromHours(1));
        return Registered.PostAsync(town.Server, """{"redirect_uris":["https://self.example/cb"]}""");
    }

    // Texts stand for JSON, so that a member may be of every type, and twice.
    private static Task<Attempt> RegisterAsync(InputTown town)
    {
        town.Server.Clock.Advance(TimeSpan.FromHours(1));
        (string Name, string? Value)[] members =
        [
            ("redirect_uris", """["https://self.example/cb"]"""),
            ("client_name", "\"Self\""),
            ("grant_types", """["authorization_code","refresh_token"]"""),
            ("response_types", """["code"]"""),
            ("token_endpoint_auth_method", "\"none\""),
            ("application_type", "\"web\""),
            ("scope", "\"openid mcp:read\""),
            ("jwks", WalkTown.Keys.Jwks),
            ("dpop_bound_access_tokens", "true"),
            ("require_pushed_authorization_requests", "true"),
            ("require_signed_request_object", "true"),
            ("request_object_signing_alg", "\"ES256\""),
            ("authorization_signed_response_alg", "\"ES256\""),
            ("subject_type", "\"pairwise\""),
            ("id_token_signed_response_alg", "\"ES256\""),
            ("userinfo_signed_response_alg", "\"ES256\""),
            ("post_logout_redirect_uris", """["https://self.example/bye"]"""),
            ("backchannel_logout_uri", "\"https://self.example/out\""),
            ("backchannel_logout_session_required", "true"),
            ("default_max_age", "60"),
            ("default_acr_values", """["phr"]"""),
            ("response_modes", """["jwt"]"""),
            ("token_endpoint_auth_signing_alg", "\"ES256\""),
        ];
        var others = members.SelectMany(member => new[]
        {
            KeyValuePair.Create((member.Name, Wrong.Empty), Be("\"\"")),
            KeyValuePair.Create((member.Name, Wrong.Long), Be($"\"{new string('x', 17_000)}\"")),
            KeyValuePair.Create((member.Name, Wrong.Type), Be("7.5")),
            KeyValuePair.Create((member.Name, Wrong.Encoding), Be($"\"{Attempt.NoText}\"")),
        });
        return Task.FromResult(new Attempt(members, async fields =>
        {
            var json = "{" + string.Join(',', fields.Select(field => $"\"{field.Name}\":{field.Value}")) + "}";
            var parts = json.Split(Attempt.NoText).Select(Encoding.UTF8.GetBytes).ToList();
            var body = parts is [var before, var after] ? (byte[])[.. before, 0xff, 0xfe, .. after] : parts[0];
            return InputTown.Word(await Registered.PostAsync(town.Server, body, "application/json"));
        })
        {
            Others = new(others),
        });
    }

    private static async Task<Attempt> LogoutAsync(InputTown town)
    {
        var bob = new Person(town.Server, Person.Bob);
        var site = town.AppOf("site");
        var hint = (await site.LetInAsync(bob, RelyingTown.Identity("openid"))).Member("id_token")!;
        return new(
            [
                ("id_token_hint", hint),
                ("client_id", "site"),
                ("post_logout_redirect_uri", "https://site.example/bye"),
                ("state", "s"),
            ],
            fields => InputTown.OpenAsync(bob, "/logout", fields))
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

    private static async Task<string> BearAsync(
        InputTown town, string path, (string Name, string? Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await town.Server.Http.SendAsync(request);
        var error = answer.Headers.WwwAuthenticate.ToString().Split("error=\"").Skip(1).FirstOrDefault("");
        return answer.StatusCode is HttpStatusCode.OK
            ? Attempt.Good
            : $"{(int)answer.StatusCode} {error.Split('"')[0]}".TrimEnd();
    }
}
