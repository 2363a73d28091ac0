namespace Postern.Tests.OAuth.Input;

/// <summary>What a parameter holds that is an object itself, member by member.</summary>
internal static partial class Tables
{
    /// <summary>Longer than a parameter may be, and short enough for a request.</summary>
    private const int LongMember = 4000;

    // OpenID Connect Core §5.5.
    private static async Task<Attempt> ClaimsAsync(InputTown town)
    {
        var app = town.AppOf("site");
        var hint = (await app.LetInAsync(town.Ada, RelyingTown.Identity("openid"))).Member("id_token")!;
        var sub = Decoded(hint, "sub");
        (string Name, string? Value)[] members =
        [
            ("userinfo", """{"email":null}"""),
            ("id_token.email", """{"essential":true}"""),
            ("id_token.acr.essential", "true"),
            ("id_token.acr.values", $"""["{Acr.Password}"]"""),
            ("id_token.sub.value", $"\"{sub}\""),
        ];
        return new(
            members,
            fields => InputTown.OpenAsync(
                town.Ada,
                "/authorize",
                App.With([("scope", "openid mcp:read"), ("prompt", "consent")],
                    [.. app.Usual, ("claims", JsonText.Text(fields))])))
        {
            Others = new(JsonText.Wrongs(members.Select(member => member.Name), LongMember))
            {
                [("id_token.sub.value", Wrong.OtherClient)] = Be("\"us_somebody-else\""),
            },
        };
    }

    private static string? Decoded(string jwt, string claim) => System.Text.Json.JsonElement.Parse(
        System.Buffers.Text.Base64Url.DecodeFromChars(jwt.Split('.')[1])).GetProperty(claim).GetString();

    // RFC 9101 §4: each parameter is a member, and some say whose it is.
    private static Task<Attempt> PushMembersAsync(InputTown town)
    {
        var app = new App(town.Server, "keyed", "https://keyed.example/cb");
        (string Name, string? Value)[] members =
        [
            ("iss", "\"keyed\""),
            ("aud", $"\"{town.Server.Issuer}\""),
            ("nbf", $"{town.Now - 60}"),
            ("exp", $"{town.Now + 60}"),
            .. app.Usual.Select(parameter => (parameter.Name, (string?)$"\"{parameter.Value}\"")),
            ("response_mode", "\"query\""),
            ("dpop_jkt", $"\"{Key.Thumbprint}\""),
            ("nonce", "\"n-1\""),
            ("prompt", "\"consent\""),
            ("max_age", "100000"),
            ("acr_values", $"\"{Acr.Password}\""),
            ("claims", """{"id_token":{"email":null}}"""),
            ("login_hint", $"\"{Person.Ada}\""),
            ("id_token_hint", "\"a.b.c\""),
            ("authorization_details", Spend),
        ];
        (string Name, string? Value)[] left =
        [
            ("sub", "\"somebody\""), ("jti", "\"j\""), ("iat", $"{town.Now}"), ("request", "\"a.b.c\""),
            ("request_uri", "\"https://keyed.example/r\""),
        ];
        return Task.FromResult(new Attempt(
            members,
            fields => town.PostAsync(
                "/par",
                [
                    ("client_assertion", Assertion(town)),
                    ("client_assertion_type", AssertionType),
                    ("request", WalkTown.Keys.SignBytes(JsonText.Of(fields))),
                ]))
        {
            Left = left,
            Others = new(JsonText.Wrongs(members.Concat(left).Select(member => member.Name), LongMember))
            {
                [("iss", Wrong.OtherClient)] = Be("\"site\""),
                [("client_id", Wrong.OtherClient)] = Be("\"site\""),
                [("client_id", Wrong.OtherTenant)] = Be($"\"{town.Acme.App.Id}\""),
                [("aud", Wrong.OtherTenant)] = Be($"\"{town.Acme.Tenant.Issuer}\""),
                [("aud", Wrong.OtherPurpose)] = Be($"\"{town.Server.Issuer}/token\""),
                // RFC 9101 §10.8: it could be meant to prove the client.
                [("sub", Wrong.OtherPurpose)] = Be("\"keyed\""),
                [("nbf", Wrong.Expired)] = Be($"{town.Now - 7200}"),
                [("exp", Wrong.Expired)] = Be($"{town.Now - 1}"),
                [("redirect_uri", Wrong.OtherClient)] = Be("\"https://site.example/cb\""),
                [("resource", Wrong.OtherTenant)] = Be($"\"{town.Acme.App.Resource}\""),
                [("resource", Wrong.OtherPurpose)] = Be($"\"{town.Server.Issuer}/userinfo\""),
                [("scope", Wrong.OtherPurpose)] = Be("\"admin\""),
                [("authorization_details", Wrong.OtherPurpose)] = Be("""[{"type":"openid_credential"}]"""),
            },
        });
    }

    // CIBA Core §7.1.1.
    private static Task<Attempt> BackchannelMembersAsync(InputTown town)
    {
        (string Name, string? Value)[] members =
        [
            ("iss", "\"sealES256\""),
            ("aud", $"\"{town.Server.Issuer}\""),
            ("iat", $"{town.Now}"),
            ("nbf", $"{town.Now}"),
            ("exp", $"{town.Now + 300}"),
            ("jti", null),
            ("scope", "\"openid mcp:read\""),
            ("resource", $"\"{App.Web(town.Server).Resource}\""),
            ("login_hint", $"\"{Person.Ada}\""),
            ("binding_message", "\"Table 12\""),
            ("requested_expiry", "300"),
            ("acr_values", $"\"{Acr.Password}\""),
            ("authorization_details", Spend),
        ];
        (string Name, string? Value)[] left =
        [
            ("id_token_hint", "\"a.b.c\""), ("login_hint_token", "\"a.b.c\""), ("user_code", "\"1234\""),
            ("client_notification_token", $"\"{Butler.Token}\""), ("dpop_jkt", $"\"{Key.Thumbprint}\""),
        ];
        return Task.FromResult(new Attempt(
            members,
            async fields =>
            {
                var outcome = await town.PostAsync(
                    "/bc-authorize",
                    [
                        ("client_id", "sealES256"),
                        ("client_secret", WalkTown.Secret),
                        ("request", WalkTown.Keys.SignBytes(JsonText.Of(fields), null)),
                    ]);
                await town.AllowAllAsync();
                return outcome;
            })
        {
            Left = left,
            Made = new() { ["jti"] = () => $"\"{Guid.NewGuid():N}\"" },
            Others = new(JsonText.Wrongs(members.Concat(left).Select(member => member.Name), LongMember))
            {
                [("iss", Wrong.OtherClient)] = Be("\"sealPS256\""),
                [("aud", Wrong.OtherTenant)] = Be($"\"{town.Acme.Tenant.Issuer}\""),
                [("iat", Wrong.Expired)] = Be($"{town.Now - 7200}"),
                [("nbf", Wrong.Expired)] = Be($"{town.Now - 7200}"),
                [("exp", Wrong.Expired)] = Be($"{town.Now - 60}"),
                [("jti", Wrong.Replayed)] = async () =>
                {
                    await town.PostAsync(
                        "/bc-authorize",
                        [
                            ("client_id", "sealES256"),
                            ("client_secret", WalkTown.Secret),
                            ("request", WalkTown.Keys.SignBytes(JsonText.Of(
                                [.. members.Where(member => member.Name is not "jti"), ("jti", "\"again\"")]), null)),
                        ]);
                    await town.AllowAllAsync();
                    return "\"again\"";
                },
                [("login_hint", Wrong.OtherTenant)] = Be("\"nobody@example.test\""),
                [("resource", Wrong.OtherTenant)] = Be($"\"{town.Acme.App.Resource}\""),
                [("scope", Wrong.OtherPurpose)] = Be("\"admin\""),
                [("authorization_details", Wrong.OtherPurpose)] = Be("""[{"type":"openid_credential"}]"""),
            },
        });
    }
}
