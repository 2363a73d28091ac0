namespace Postern.Tests.OAuth.Input;

internal static partial class Tables
{
    // Texts stand for JSON, so that a member may be of every type, and twice.
    private static readonly (string Name, string? Value)[] Members =
    [
        ("redirect_uris", """["https://self.example/cb"]"""),
        ("client_name", "\"Self\""),
        ("grant_types", """["authorization_code","refresh_token"]"""),
        ("response_types", """["code"]"""),
        ("token_endpoint_auth_method", "\"none\""),
        ("token_endpoint_auth_signing_alg", "\"ES256\""),
        ("response_modes", """["query"]"""),
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
        ("require_auth_time", "true"),
        ("default_acr_values", """["phr"]"""),
        ("initiate_login_uri", "\"https://self.example/begin\""),
        ("logo_uri", "\"https://self.example/logo.png\""),
        ("policy_uri", "\"https://self.example/policy\""),
        ("tos_uri", "\"https://self.example/terms\""),
    ];

    // What goes with other members, or with nothing here.
    private static readonly (string Name, string? Value)[] LeftMembers =
    [
        ("jwks_uri", "\"https://self.example/jwks\""),
        ("sector_identifier_uri", "\"https://self.example/sector.json\""),
        ("token_endpoint_auth_methods_supported", """["none"]"""),
        ("tls_client_auth_subject_dn", "\"CN=self\""),
        ("tls_client_auth_san_dns", "\"self.example\""),
        ("tls_client_auth_san_uri", "\"https://self.example/\""),
        ("tls_client_auth_san_ip", "\"192.0.2.7\""),
        ("tls_client_auth_san_email", "\"self@self.example\""),
        ("tls_client_certificate_bound_access_tokens", "true"),
    ];

    // RFC 7592 §2.2: what only the server says, and the secret that it made.
    private static readonly (string Name, string? Value)[] ServersMembers =
    [
        ("client_secret", "\"x\""),
        ("client_secret_expires_at", "0"),
        ("client_id_issued_at", "1"),
        ("registration_access_token", "\"x\""),
        ("registration_client_uri", "\"https://self.example/\""),
    ];

    private static Task<Attempt> RegisterAsync(InputTown town)
    {
        // As many as one network may register in an hour are not what is tried here.
        town.Server.Clock.Advance(TimeSpan.FromHours(1));
        return Task.FromResult(new Attempt(
            Members, fields => town.SendJsonAsync(HttpMethod.Post, "/register", fields))
        {
            // RFC 7591 §2: what means nothing here is passed over.
            Left = [.. LeftMembers, ("client_id", "\"x\""), .. ServersMembers],
            Others = new(JsonText.Wrongs(
                [.. Members.Concat(LeftMembers).Concat(ServersMembers).Select(member => member.Name), "client_id"])),
        });
    }

    private static async Task<Attempt> ReplaceAsync(InputTown town)
    {
        var (own, other) = (await RegisteredAsync(town), await RegisteredAsync(town));
        var id = ("client_id", (string?)$"\"{own.Member("client_id")}\"");
        (string Name, string? Value)[] members = [id, .. Members];
        var attempt = Managed(own, other, fields => town.SendJsonAsync(HttpMethod.Put, "/register/{id}", fields));
        var others = new Dictionary<(string, Wrong), Func<Task<string>>>(attempt.Others.Concat(
            JsonText.Wrongs(members.Concat(LeftMembers).Concat(ServersMembers).Select(member => member.Name))))
        {
            [("client_id", Wrong.OtherClient)] = Be($"\"{other.Member("client_id")}\""),
            [("client_secret", Wrong.OtherClient)] = Be($"\"{other.Member("client_secret")}\""),
        };
        return attempt with
        {
            Fields = [.. attempt.Fields, .. members],
            Left = [.. LeftMembers, .. ServersMembers],
            Others = others,
        };
    }

    /// <summary>What is done with a registration by its token alone (RFC 7592 §2).</summary>
    private static async Task<Attempt> ManageAsync(InputTown town, HttpMethod method, string more) => Managed(
        await RegisteredAsync(town),
        await RegisteredAsync(town),
        async fields => InputTown.Word(await town.SendAsync(method, "/register/{id}" + more, fields)));

    private static Attempt Managed(
        Reply own, Reply other, Func<(string Name, string? Value)[], Task<string>> sendAsync)
    {
        var token = "Bearer " + own.Member("registration_access_token");
        return new([("{id}", own.Member("client_id")), (Basic, token)], sendAsync)
        {
            Others = new()
            {
                [("{id}", Wrong.OtherClient)] = Be(other.Member("client_id")!),
                [("{id}", Wrong.OtherPurpose)] = Be("web"),
                [(Basic, Wrong.Long)] = Be("Bearer " + new string('x', 17_000)),
                [(Basic, Wrong.Type)] = Be("Basic " + own.Member("registration_access_token")),
                [(Basic, Wrong.Encoding)] = Be($"Bearer {Attempt.NoText}"),
                [(Basic, Wrong.OtherClient)] = Be("Bearer " + other.Member("registration_access_token")),
                [(Basic, Wrong.OtherPurpose)] = Be("Bearer " + own.Member("client_secret")),
            },
        };
    }

    private static Task<Reply> RegisteredAsync(InputTown town)
    {
        town.Server.Clock.Advance(TimeSpan.FromHours(1));
        return Registered.PostAsync(town.Server, """{"redirect_uris":["https://self.example/cb"]}""");
    }
}
