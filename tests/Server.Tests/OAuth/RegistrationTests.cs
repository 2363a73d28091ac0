using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Register;
using Postern.Platform.Tenants;

namespace Postern.Tests.OAuth;

/// <summary>Dynamic registration (RFC 7591): real clients get in, hostile ones leave nothing behind.</summary>
public sealed class RegistrationTests(Town town) : IClassFixture<Town>
{
    private TestServer Server => town.Server;

    public static TheoryData<string, string, string> RealClients => new()
    {
        {
            "VS Code", "http://127.0.0.1:33418/", """
            {"client_name":"Visual Studio Code","client_uri":"https://code.visualstudio.com",
             "grant_types":["authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:device_code"],
             "response_types":["code"],
             "redirect_uris":["https://insiders.vscode.dev/redirect","https://vscode.dev/redirect",
             "http://127.0.0.1/","http://127.0.0.1:33418/"],
             "scope":"mcp:read mcp:write","token_endpoint_auth_method":"none","application_type":"native"}
            """
        },
        {
            "Claude Code", "http://localhost:52012/callback", """
            {"client_name":"Claude Code (echo)","redirect_uris":["http://localhost/callback",
             "http://127.0.0.1/callback"],
             "grant_types":["authorization_code","refresh_token"],"response_types":["code"],
             "token_endpoint_auth_method":"none"}
            """
        },
        {
            "Claude", "https://claude.ai/api/mcp/auth_callback", """
            {"client_name":"Claude","redirect_uris":["https://claude.ai/api/mcp/auth_callback"],
             "grant_types":["authorization_code","refresh_token"],
             "response_types":["code"],"token_endpoint_auth_method":"client_secret_post"}
            """
        },
        {
            "ChatGPT", "https://chatgpt.com/connector/oauth/abc", """
            {"client_name":"ChatGPT","redirect_uris":["https://chatgpt.com/connector/oauth/abc"],
             "token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":["none",
             "private_key_jwt"],
             "jwks_uri":"https://chatgpt.com/oauth/jwks.json"}
            """
        },
        {
            "Cursor", "cursor://anysphere.cursor-mcp/oauth/callback", """
            {"client_name":"Cursor","redirect_uris":["cursor://anysphere.cursor-mcp/oauth/callback"],
             "grant_types":["authorization_code","refresh_token"],"response_types":["code"],
             "token_endpoint_auth_method":"none"}
            """
        },
        {
            "OpenCode", "http://127.0.0.1:19876/mcp/oauth/callback", """
            {"client_name":"OpenCode","client_uri":"https://opencode.ai",
             "redirect_uris":["http://127.0.0.1:19876/mcp/oauth/callback"],
             "grant_types":["authorization_code","refresh_token"],"response_types":["code"],
             "token_endpoint_auth_method":"none"}
            """
        },
        {
            "MCP Inspector", "http://localhost:6274/oauth/callback", """
            {"redirect_uris":["http://localhost:6274/oauth/callback"],"token_endpoint_auth_method":"none",
             "grant_types":["authorization_code","refresh_token"],
             "response_types":["code"],"client_name":"MCP Inspector",
             "client_uri":"https://github.com/modelcontextprotocol/inspector","logo_uri":null}
            """
        },
        { "the least there can be", "https://least.example/cb", """{"redirect_uris":["https://least.example/cb"]}""" },
    };

    [Theory, MemberData(nameof(RealClients)), Rfc(7591, "3.2.1")]
    [Rfc(7591, "3.1"), Rfc("OpenID Connect Registration", "3.1"), Rfc("OpenID Connect Registration", "3.2")]
    public async Task The_clients_people_use_register_and_are_asked_about(string name, string redirect, string json)
    {
        var reply = await Registered.PostAsync(Server, json);

        Assert.True(reply.Status is HttpStatusCode.Created, $"{name}: {reply.Text}");
        Assert.DoesNotContain(reply.Json.EnumerateObject(), member => member.Value.ValueKind is JsonValueKind.Null);
        Assert.True(reply.Json.GetProperty("client_id_issued_at").TryGetInt64(out _));
        Assert.False(reply.Member("client_id")!.StartsWith("https://", StringComparison.Ordinal));
        var isSecret = reply.Member("token_endpoint_auth_method")!.StartsWith(
            "client_secret", StringComparison.Ordinal);
        Assert.Equal(isSecret, reply.Json.TryGetProperty("client_secret", out _));
        Assert.Equal(
            isSecret,
            reply.Json.TryGetProperty("client_secret_expires_at", out var expires) && expires.GetRawText() is "0");
        var question = await town.Ada.AskedAsync(new App(Server, reply.Member("client_id")!, redirect).Authorize());
        Assert.NotNull(question.Form);
    }

    [Fact, Rfc("OpenID Connect Registration", "3.1"), Rfc("OpenID Connect Registration", "3.2"), Rfc(7591, "2")]
    public async Task The_answer_says_what_was_taken_and_nothing_else()
    {
        var json = $$"""
            {"redirect_uris":["https://a.example/cb"],"grant_types":["authorization_code"],
            "token_endpoint_auth_method":"client_secret_post","jwks":{{new Signer("k1").Jwks}},
            "response_modes":["jwt"],"token_endpoint_auth_signing_alg":"ES256","unheard_of":{"a":[1]} }
            """;

        var reply = await Registered.PostAsync(Server, json);

        Assert.Equal(HttpStatusCode.Created, reply.Status);
        Assert.Equal("[\"authorization_code\"]", reply.Json.GetProperty("grant_types").GetRawText());
        Assert.Equal("[\"code\"]", reply.Json.GetProperty("response_types").GetRawText());
        Assert.Equal("[\"jwt\"]", reply.Json.GetProperty("response_modes").GetRawText());
        Assert.Equal("ES256", reply.Member("token_endpoint_auth_signing_alg"));
        Assert.Equal("client_secret_post", reply.Member("token_endpoint_auth_method"));
        Assert.StartsWith($"{Server.Issuer}/register/", reply.Member("registration_client_uri"));
        // What is not kept is not said to be.
        Assert.DoesNotContain("unheard_of", reply.Text, StringComparison.Ordinal);
    }

    [Fact, Rfc(7591, "3.2.1")]
    public async Task A_client_is_told_all_that_it_registered()
    {
        var json = JsonNode.Parse($$"""
            {"client_name":"All","redirect_uris":["https://all.example/cb"],"application_type":"web",
            "grant_types":["authorization_code","refresh_token"],"response_types":["code"],"scope":"mcp:read",
            "token_endpoint_auth_method":"private_key_jwt","jwks":{{new Signer("k").Jwks}},
            "dpop_bound_access_tokens":true,"require_pushed_authorization_requests":true,
            "require_signed_request_object":true,"request_object_signing_alg":"ES256",
            "authorization_signed_response_alg":"ES256","subject_type":"pairwise",
            "id_token_signed_response_alg":"ES256","userinfo_signed_response_alg":"ES256",
            "post_logout_redirect_uris":["https://all.example/bye"],
            "backchannel_logout_uri":"https://all.example/out","backchannel_logout_session_required":true,
            "default_max_age":60,"require_auth_time":true,"default_acr_values":["phr"],
            "initiate_login_uri":"https://all.example/in","logo_uri":"https://all.example/logo",
            "policy_uri":"https://all.example/policy","tos_uri":"https://all.example/terms"}
            """)!.AsObject();

        var reply = await Registered.PostAsync(Server, json.ToJsonString());

        Assert.True(reply.Status is HttpStatusCode.Created, reply.Text);
        var told = JsonNode.Parse(reply.Text)!.AsObject();
        Assert.All(json, member => Assert.True(JsonNode.DeepEquals(member.Value, told[member.Key]), member.Key));
    }

    [Theory, Rfc(7591, "5")]
    [InlineData("https://self.example/words", true), InlineData("https://evil.example/words", false)]
    [InlineData("https://self.example:8443/words", false), InlineData("https://self.example.evil.example/", false)]
    public async Task A_client_nobody_vouches_for_leads_people_to_no_other_host_than_its_own(string page, bool isShown)
    {
        var reply = await Registered.PostAsync(Server, $$"""
            {"redirect_uris":["https://self.example/cb"],"token_endpoint_auth_method":"none",
            "policy_uri":"{{page}}","tos_uri":"{{page}}","client_uri":"{{page}}","logo_uri":"{{page}}"}
            """);
        var app = new App(Server, reply.Member("client_id")!, "https://self.example/cb");

        var question = await town.Ada.AskedAsync(app.Authorize(("scope", "openid email"), ("resource", null)));

        var links = question.Page.QuerySelectorAll("a[href]").Select(link => link.GetAttribute("href")).ToList();
        Assert.Equal(isShown ? 2 : 0, links.Count(link => link == page));
        Assert.DoesNotContain(page, question.Page.QuerySelector("img")?.OuterHtml ?? "", StringComparison.Ordinal);
    }

    [Fact, Rfc(7591, "3.2.1")]
    public async Task What_was_left_out_and_what_the_server_put_in_its_place_is_told()
    {
        var reply = await Registered.PostAsync(Server, """{"redirect_uris":["https://new.example/cb"]}""");

        Assert.Equal(
            """["authorization_code","refresh_token"]""", reply.Json.GetProperty("grant_types").GetRawText());
        Assert.Equal("""["code"]""", reply.Json.GetProperty("response_types").GetRawText());
        Assert.Equal("client_secret_basic", reply.Member("token_endpoint_auth_method"));
        Assert.Equal("web", reply.Member("application_type"));
    }

    [Fact, Rfc(7591, "3.2.1"), Rfc(6749, "10.1")]
    public async Task No_two_registrations_share_a_secret_or_a_name()
    {
        const string json = """{"redirect_uris":["https://same.example/cb"]}""";

        var (one, two) = (await Registered.PostAsync(Server, json), await Registered.PostAsync(Server, json));

        Assert.All(
            ["client_id", "client_secret", "registration_access_token"],
            name => Assert.NotEqual(one.Member(name)!, two.Member(name)!));
    }

    [Fact]
    public async Task A_client_that_registered_with_a_secret_is_never_believed_without_it()
    {
        var reply = await Registered.PostAsync(Server, """{"redirect_uris":["https://kept.example/cb"]}""");
        var app = new App(Server, reply.Member("client_id")!, "https://kept.example/cb");
        var code = (await town.Ada.AllowAsync(app.Authorize())).Code;

        TokenTests.Refused(await app.RedeemAsync(code), "invalid_client");
        TokenTests.Refused(
            await app.RedeemAsync(code, ("client_secret", reply.Member("client_secret"))), "invalid_client");
        var redeemed = await app.PostAsync(
            "/token",
            [("grant_type", "authorization_code"), ("code", code), ("code_verifier", app.Verifier)],
            App.Basic(app.Id, reply.Member("client_secret")!));
        Assert.Equal(HttpStatusCode.OK, redeemed.Status);
        TokenTests.Refused(await app.RefreshAsync(redeemed.RefreshToken), "invalid_client");
    }

    public static TheoryData<string, string, string> Hostile => new()
    {
        // a member, what it is instead, the refusal
        { "redirect_uris", "null", "invalid_redirect_uri" },
        { "redirect_uris", "[]", "invalid_redirect_uri" },
        { "redirect_uris", "\"https://a.example/cb\"", "invalid_client_metadata" },
        { "redirect_uris", "[7]", "invalid_client_metadata" },
        { "redirect_uris", "[null]", "invalid_client_metadata" },
        { "redirect_uris", "[[\"https://a.example/cb\"]]", "invalid_client_metadata" },
        { "redirect_uris", "{\"0\":\"https://a.example/cb\"}", "invalid_client_metadata" },
        { "redirect_uris", "[\"https://a.example/\\ud800\"]", "invalid_client_metadata" },
        { "redirect_uris", "21", "invalid_client_metadata" },
        { "redirect_uris", "long", "invalid_redirect_uri" },
        { "redirect_uris", "many", "invalid_client_metadata" },
        { "client_name", "7", "invalid_client_metadata" },
        { "client_name", "[\"a\"]", "invalid_client_metadata" },
        { "client_name", "\"\\udc00\"", "invalid_client_metadata" },
        { "client_name", "long", "invalid_client_metadata" },
        { "client_name", "\"a\\u202eb\"", "invalid_client_metadata" },
        { "client_name", "\"a\\u200bb\"", "invalid_client_metadata" },
        { "client_name", "\"a\\nb\"", "invalid_client_metadata" },
        { "client_name", "\"a\\u0000b\"", "invalid_client_metadata" },
        { "client_name", "\"a\\u2028b\"", "invalid_client_metadata" },
        { "client_name", "\"a\\u3164b\"", "invalid_client_metadata" },
        { "client_name", "\"a\\udb40\\udc41b\"", "invalid_client_metadata" },
        { "token_endpoint_auth_method", "\"client_secret_jwt\"", "invalid_client_metadata" },
        { "token_endpoint_auth_method", "\"tls_client_auth\"", "invalid_client_metadata" },
        { "token_endpoint_auth_method", "\"\"", "invalid_client_metadata" },
        { "token_endpoint_auth_method", "true", "invalid_client_metadata" },
        { "token_endpoint_auth_method", "\"private_key_jwt\"", "invalid_client_metadata" },
        { "grant_types", "[]", "invalid_client_metadata" },
        { "grant_types", "[\"client_credentials\"]", "invalid_client_metadata" },
        { "grant_types", "[\"implicit\"]", "invalid_client_metadata" },
        { "grant_types", "[\"refresh_token\"]", "invalid_client_metadata" },
        { "grant_types", "[\"authorization_code\",\"client_credentials\"]", "invalid_client_metadata" },
        { "grant_types", "[\"authorization_code\",\"password\"]", "invalid_client_metadata" },
        { "grant_types", $"[\"authorization_code\",\"{Butler.GrantType}\"]", "invalid_client_metadata" },
        { "grant_types", $"[\"authorization_code\",\"{Butler.Deferred}\"]", "invalid_client_metadata" },
        { "grant_types", $"[\"authorization_code\",\"{ClientMetadata.JwtBearer}\"]", "invalid_client_metadata" },
        { "grant_types", $"[\"authorization_code\",\"{ClientMetadata.TokenExchange}\"]", "invalid_client_metadata" },
        { "grant_types", "\"authorization_code\"", "invalid_client_metadata" },
        { "response_types", "[\"token\"]", "invalid_client_metadata" },
        { "response_types", "[]", "invalid_client_metadata" },
        { "response_types", "[\"code\",\"code id_token\"]", "invalid_client_metadata" },
        { "application_type", "\"browser\"", "invalid_client_metadata" },
        { "application_type", "1", "invalid_client_metadata" },
        { "scope", "\"a  b\"", "invalid_client_metadata" },
        { "scope", "\"a\\u0000\"", "invalid_client_metadata" },
        { "scope", "[\"mcp:read\"]", "invalid_client_metadata" },
        { "scope", "long", "invalid_client_metadata" },
        { "scope", "\"admin\"", "invalid_client_metadata" },
        { "scope", "\"mcp:read admin\"", "invalid_client_metadata" },
        { "software_statement", "7", "invalid_software_statement" },
        { "software_statement", "\"\"", "invalid_software_statement" },
        { "software_statement", "\"a.b.c\"", "invalid_software_statement" },
        { "software_statement", $"\"{Statement("none")}\"", "unapproved_software_statement" },
        { "software_statement", $"\"{Statement("ES256")}\"", "unapproved_software_statement" },
        { "tls_client_auth_subject_dn", "\"CN=agent\"", "invalid_client_metadata" },
        { "tls_client_auth_san_dns", "\"agent.example\"", "invalid_client_metadata" },
        { "tls_client_auth_san_uri", "\"https://agent.example\"", "invalid_client_metadata" },
        { "tls_client_auth_san_ip", "\"192.0.2.7\"", "invalid_client_metadata" },
        { "tls_client_auth_san_email", "\"agent@example.test\"", "invalid_client_metadata" },
        { "introspection_signed_response_alg", "\"none\"", "invalid_client_metadata" },
        { "introspection_signed_response_alg", "\"HS256\"", "invalid_client_metadata" },
        { "introspection_encrypted_response_alg", "\"RSA-OAEP\"", "invalid_client_metadata" },
        { "introspection_encrypted_response_enc", "\"A128GCM\"", "invalid_client_metadata" },
        { "id_token_signed_response_alg", "\"none\"", "invalid_client_metadata" },
        { "id_token_encrypted_response_alg", "\"RSA-OAEP\"", "invalid_client_metadata" },
        { "userinfo_signed_response_alg", "\"none\"", "invalid_client_metadata" },
        { "userinfo_encrypted_response_enc", "\"A128GCM\"", "invalid_client_metadata" },
        { "authorization_signed_response_alg", "\"none\"", "invalid_client_metadata" },
        { "authorization_encrypted_response_alg", "\"RSA-OAEP\"", "invalid_client_metadata" },
        { "request_object_signing_alg", "\"none\"", "invalid_client_metadata" },
        { "request_object_encryption_alg", "\"RSA-OAEP\"", "invalid_client_metadata" },
        { "token_endpoint_auth_signing_alg", "\"none\"", "invalid_client_metadata" },
        { "token_endpoint_auth_signing_alg", "\"HS256\"", "invalid_client_metadata" },
        { "backchannel_authentication_request_signing_alg", "\"none\"", "invalid_client_metadata" },
        { "backchannel_token_delivery_mode", "\"push\"", "invalid_client_metadata" },
        { "jwks", "\"x\"", "invalid_client_metadata" },
        { "jwks", "{}", "invalid_client_metadata" },
        { "jwks", "{\"keys\":[]}", "invalid_client_metadata" },
        { "jwks", "{\"keys\":[7]}", "invalid_client_metadata" },
        { "jwks", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", "invalid_client_metadata" },
        {
            "jwks",
            """{"keys":[{"kty":"EC","crv":"P-256","x":"x","y":"y","d":"d"}]}""",
            "invalid_client_metadata"
        },
        { "jwks_uri", "\"http://a.example/jwks\"", "invalid_client_metadata" },
        { "jwks_uri", "\"file:///etc/passwd\"", "invalid_client_metadata" },
        { "jwks_uri", "\"https://a:b@a.example/jwks\"", "invalid_client_metadata" },
        { "jwks_uri", "\"https://a@a.example/jwks\"", "invalid_client_metadata" },
        { "jwks_uri", "\"https://a.example/jwks#a\"", "invalid_client_metadata" },
        { "logo_uri", "\"https://a:b@a.example/logo\"", "invalid_client_metadata" },
        { "tos_uri", "\"https://a:b@a.example/tos\"", "invalid_client_metadata" },
        { "policy_uri", "\"https://a:b@a.example/policy\"", "invalid_client_metadata" },
        { "sector_identifier_uri", "\"https://a:b@a.example/sector\"", "invalid_client_metadata" },
        { "backchannel_logout_uri", "\"https://a:b@a.example/out\"", "invalid_client_metadata" },
        { "initiate_login_uri", "\"https://a:b@a.example/in\"", "invalid_client_metadata" },
        { "post_logout_redirect_uris", "[\"https://a:b@a.example/bye\"]", "invalid_redirect_uri" },
        { "redirect_uris", "[\"https://a:b@a.example/cb\"]", "invalid_redirect_uri" },
        { "jwks_uri", "7", "invalid_client_metadata" },
        {
            "jwks_uri",
            """ "https://a.example/jwks","jwks":{"keys":[{"kty":"EC"}]} """,
            "invalid_client_metadata"
        },
        { "jwks", """{"keys":[{"kty":"EC","kty":"RSA"}]}""", "invalid_client_metadata" },
        { "jwks", """{"keys":[{"kty":"EC"}],"keys":[{"kty":"EC"}]}""", "invalid_client_metadata" },
        {
            "redirect_uris",
            """["https://a.example/cb","https://b.example/cb"],"subject_type":"pairwise" """,
            "invalid_client_metadata"
        },
        { "id_token_signed_response_alg", "\"none\"", "invalid_client_metadata" },
        { "id_token_signed_response_alg", "\"HS256\"", "invalid_client_metadata" },
        { "userinfo_signed_response_alg", "\"none\"", "invalid_client_metadata" },
        { "request_object_signing_alg", "\"HS256\"", "invalid_client_metadata" },
        { "token_endpoint_auth_signing_alg", "\"none\"", "invalid_client_metadata" },
        { "token_endpoint_auth_signing_alg", "\"HS256\"", "invalid_client_metadata" },
        { "response_modes", "\"jwt\"", "invalid_client_metadata" },
        { "response_modes", "[\"fragment\"]", "invalid_client_metadata" },
        { "response_modes", "[\"jwt\",\"fragment\"]", "invalid_client_metadata" },
        { "subject_type", "\"open\"", "invalid_client_metadata" },
        { "sector_identifier_uri", "\"http://a.example/sector\"", "invalid_client_metadata" },
        { "backchannel_logout_uri", "\"http://a.example/out\"", "invalid_client_metadata" },
        { "backchannel_logout_uri", "\"https://a.example/out#x\"", "invalid_client_metadata" },
        { "backchannel_logout_uri", "\"/out\"", "invalid_client_metadata" },
        { "post_logout_redirect_uris", "[\"http://a.example/bye\"]", "invalid_redirect_uri" },
        { "initiate_login_uri", "\"http://a.example/in\"", "invalid_client_metadata" },
        { "default_max_age", "\"soon\"", "invalid_client_metadata" },
        { "require_auth_time", "1", "invalid_client_metadata" },
    };

    [Theory]
    [InlineData("Ada's \U0001f469\u200d\U0001f4bb")]
    [InlineData("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")]
    [InlineData("\u2708\ufe0f Trips")]
    public async Task A_name_may_have_what_its_script_needs(string name)
    {
        var reply = await Registered.PostAsync(
            Server, $$"""{"client_name":"{{name}}","redirect_uris":["https://a.example/cb"]}""");

        Assert.Equal(name, reply.Member("client_name"));
    }

    [Theory]
    [InlineData("jwks_uri", "https://a:b@a.example/jwks", "without user, password or fragment")]
    [InlineData("client_name", "a\u202eb", "cannot be seen")]
    public async Task What_is_wrong_with_an_address_or_a_name_is_told(string member, string value, string why)
    {
        var reply = await Registered.PostAsync(
            Server, $$"""{"{{member}}":"{{value}}","redirect_uris":["https://a.example/cb"]}""");

        Assert.Equal("invalid_client_metadata", reply.Error);
        Assert.Contains(member, reply.Member("error_description"), StringComparison.Ordinal);
        Assert.Contains(why, reply.Member("error_description"), StringComparison.Ordinal);
    }

    [Fact, Rfc(7591, "2")]
    public async Task What_is_not_known_is_passed_over_and_keys_that_are_not_needed_are_taken()
    {
        using var key = new DpopKey();

        var reply = await Registered.PostAsync(Server, $$$"""
            {"redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"none","scope":"openid mcp:read",
             "jwks":{"keys":[{{{key.Jwk.ToJsonString()}}}]},"software_id":"4","software_statement":null,
             "x_favourite_colour":"green","introspection_encrypted_response_alg":null}
            """);

        Assert.True(reply.Status is HttpStatusCode.Created, reply.Text);
        Assert.Equal("openid mcp:read", reply.Scope);
    }

    [Theory, MemberData(nameof(Hostile)), Rfc(7591, "3.2.2")]
    [Rfc(6749, "3.1.2.2"), Rfc(7591, "2.1"), Rfc("OpenID Connect Registration", "3.3")]
    public async Task A_member_with_a_wrong_value_is_refused_and_nothing_is_kept(
        string member, string value, string error)
    {
        var json = new JsonObject
        {
            ["redirect_uris"] = new JsonArray("https://a.example/cb"),
            ["token_endpoint_auth_method"] = "none",
        };
        json.Remove(member);
        var text = json.ToJsonString().Insert(1, $"\"{member}\":{Large(member, value)},");
        var before = await CountAsync();

        var reply = await Registered.PostAsync(Server, text.Replace(",}", "}", StringComparison.Ordinal));

        Assert.Equal((HttpStatusCode.BadRequest, error), (reply.Status, reply.Error));
        Assert.Equal(before, await CountAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("{\"redirect_uris\":[\"https://a.example/cb\"]} x")]
    [InlineData("{\"redirect_uris\":[\"https://a.example/cb\"],\"redirect_uris\":[\"https://b.example/cb\"]}")]
    [InlineData("{\"client_name\":\"a\",\"redirect_uris\":[\"https://a.example/cb\"],\"client_name\":\"b\"}")]
    [InlineData("{\"redirect_uris\":[\"https://a.example/cb\"],\"x\":[[[[[[[[[[1]]]]]]]]]]}")]
    [InlineData("{'redirect_uris':['https://a.example/cb']}")]
    [InlineData("{\"\\ud800\":1,\"redirect_uris\":[\"https://a.example/cb\"],\"jwks\":{}}")]
    public async Task What_is_no_plain_object_is_refused(string json)
    {
        var reply = await Registered.PostAsync(Server, json);

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_client_metadata"), (reply.Status, reply.Error));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData(null)]
    public async Task What_is_not_said_to_be_JSON_is_refused(string? type)
    {
        var reply = await Registered.PostAsync(
            Server, """{"redirect_uris":["https://a.example/cb"]}"""u8.ToArray(), type);

        Assert.Equal("invalid_client_metadata", reply.Error);
    }

    [Fact]
    public async Task What_is_larger_than_metadata_can_be_is_refused_unread()
    {
        var large =
            "{\"redirect_uris\":[\"https://a.example/cb\"],\"x\":\"" + new string('x', ClientMetadata.MaxBytes) + "\"}";

        var reply = await Registered.PostAsync(Server, large);

        Assert.Equal("invalid_client_metadata", reply.Error);
    }

    [Theory, OnBoth]
    public async Task A_flood_is_stopped_at_the_quota_and_leaves_few_rows(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);

        var replies = await Task.WhenAll(Enumerable.Range(0, 300).Select(i =>
            Registered.PostAsync(server, $$"""{"redirect_uris":["https://flood{{i}}.example/cb"]}""")));

        var refused = replies.Where(reply => reply.Status is HttpStatusCode.TooManyRequests).ToList();
        Assert.All(refused, reply => Assert.NotNull(reply.Headers.RetryAfter));
        Assert.Equal(Registrations.PerHour, replies.Count(reply => reply.Status is HttpStatusCode.Created));
        Assert.Equal(
            replies.Length - refused.Count,
            await server.Get<ClientStore>().CountDynamicAsync(TenantId.Default, default));
    }

    [Fact]
    public async Task A_network_registers_so_many_in_any_hour_and_is_told_when_it_may_again()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        const string json = """{"redirect_uris":["https://a.example/cb"]}""";
        for (var i = 0; i < Registrations.PerHour; i++)
        {
            Assert.Equal(HttpStatusCode.Created, (await Registered.PostAsync(server, json)).Status);
            server.Clock.Advance(TimeSpan.FromSeconds(10));
        }

        var refused = await Registered.PostAsync(server, json);
        var wait = refused.Headers.RetryAfter!.Delta!.Value;
        server.Clock.Advance(wait - TimeSpan.FromSeconds(1));
        var early = await Registered.PostAsync(server, json);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        var due = await Registered.PostAsync(server, json);

        Assert.Equal(
            (HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests, HttpStatusCode.Created),
            (refused.Status, early.Status, due.Status));
        Assert.Equal(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(10 * Registrations.PerHour), wait);
    }

    [Fact]
    public async Task All_networks_together_register_so_many_in_an_hour()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        var (registrations, clients) = (server.Get<Registrations>(), server.Get<ClientStore>());
        var app = await Registered.Async(server, "https://a.example/cb");
        var model = (await clients.FindAsync(TenantId.Default, new(app.Id), default))!;

        var waits = await Task.WhenAll(Enumerable.Range(0, Registrations.InAllPerHour + 50).Select(i =>
            registrations.AddAsync(
                TenantId.Default, model with { Id = new($"c_{i}") }, $"10.{i / 250}.{i % 250}.0/24")));

        Assert.Equal(Registrations.InAllPerHour - 1, waits.Count(wait => wait is null));
        Assert.All(waits.OfType<TimeSpan>(), wait => Assert.Equal(TimeSpan.FromHours(1), wait));
    }

    [Theory, OnBoth]
    public async Task The_longest_unused_goes_first_and_one_that_was_let_in_never(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        var (used, unused) = (
            await Registered.Async(server, "https://used.example/cb"),
            await Registered.Async(server, "https://unused.example/cb"));
        var reply = await used.LetInAsync(ada);
        server.Clock.Advance(TimeSpan.FromDays(2));
        var young = await Registered.Async(server, "https://young.example/cb");

        var gone = await server.Get<Registrations>().ReapAsync(TenantId.Default);

        Assert.Equal(1, gone);
        Assert.Equal(HttpStatusCode.BadRequest, (await ada.OpenAsync(unused.Authorize())).Status);
        Assert.NotNull((await ada.AskedAsync(young.Authorize())).Form);
        Assert.Equal(HttpStatusCode.OK, (await used.RefreshAsync(reply.RefreshToken)).Status);
    }

    [Fact]
    public async Task When_the_house_is_full_the_oldest_make_room()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var kept = await Registered.Async(server, "https://kept.example/cb");
        await kept.LetInAsync(ada);
        var store = server.Get<ClientStore>();
        var model = (await store.FindAsync(TenantId.Default, new(kept.Id), default))!;
        await server.Db.WriteAsync(async unit =>
        {
            for (var i = 0; i < NewTenant.MostClients - 1; i++)
            {
                await ClientStore.SaveAsync(
                    unit,
                    TenantId.Default,
                    model with { Id = new($"old{i:d5}") },
                    server.Clock.GetUtcNow().AddSeconds(i - 10_000));
            }
        });

        await Registered.Async(server, "https://next.example/cb");

        Assert.InRange(await store.CountDynamicAsync(TenantId.Default, default), 1, NewTenant.MostClients);
        Assert.Null(await store.FindAsync(TenantId.Default, new("old00000"), default));
        Assert.NotNull(await store.FindAsync(TenantId.Default, new($"old{NewTenant.MostClients - 2:d5}"), default));
        Assert.NotNull(await store.FindAsync(TenantId.Default, new(kept.Id), default));
    }

    [Fact]
    public async Task An_operator_can_keep_the_door_shut()
    {
        await using var server = await TestServer.StartAsync($"registration: {{ dynamic: false }}\n{App.Town}");

        var reply = await Registered.PostAsync(server, """{"redirect_uris":["https://a.example/cb"]}""");

        Assert.Equal((HttpStatusCode.Forbidden, "access_denied"), (reply.Status, reply.Error));
    }

    private static string Statement(string alg) => new Signer("s").Sign(
        new JsonObject { ["iss"] = "https://store.example", ["software_id"] = "4" }, "JWT", alg);

    private async Task<long> CountAsync() =>
        await Server.Get<ClientStore>().CountDynamicAsync(TenantId.Default, default);

    private static string Large(string member, string value) => (member, value) switch
    {
        ("redirect_uris", "long") => $"[\"https://a.example/{new string('x', 2000)}\"]",
        ("redirect_uris", "many") =>
            "[" + string.Join(',', Enumerable.Range(0, 21).Select(i => $"\"https://a{i}.example/\"")) + "]",
        (_, "long") => $"\"{new string('x', 2001)}\"",
        _ => value,
    };
}
