using System.Text.Json;

namespace Postern.Tests.OAuth;

/// <summary>What the server says of itself (RFC 8414).</summary>
public sealed class MetadataTests(Town town) : IClassFixture<Town>
{
    [Theory, Rfc(8414, "3.2"), Rfc(9207, "3"), Rfc(7636, "6.2")]
    [InlineData("/.well-known/oauth-authorization-server")]
    [InlineData("/.well-known/openid-configuration")]
    [Rfc("OpenID Connect Discovery", "4.2"), Rfc("OpenID Connect Discovery", "4.1")]
    public async Task The_metadata_promises_what_is_served_and_nothing_weak(string path)
    {
        var text = await town.Server.Http.GetStringAsync(new Uri(path, UriKind.Relative));
        var metadata = JsonElement.Parse(text);

        Assert.Equal(town.Server.Issuer, metadata.GetProperty("issuer").GetString());
        Assert.True(metadata.GetProperty("authorization_response_iss_parameter_supported").GetBoolean());
        Assert.True(metadata.GetProperty("client_id_metadata_document_supported").GetBoolean());
        Assert.Equal(["S256"], Texts("code_challenge_methods_supported"));
        Assert.Equal(["code"], Texts("response_types_supported"));
        Assert.Equal(
            [
                "authorization_code",
                "refresh_token",
                "client_credentials",
                "urn:ietf:params:oauth:grant-type:token-exchange",
                Butler.GrantType,
                Butler.Deferred,
                Gadget.GrantType,
            ],
            Texts("grant_types_supported"));
        Assert.Contains("none", Texts("token_endpoint_auth_methods_supported"));
        Assert.DoesNotContain("none", Texts("introspection_endpoint_auth_methods_supported"));
        Assert.All(
            ["implicit", "password", "plain", "HS256", "\"RS1\"", "null"],
            weak => Assert.DoesNotContain(weak, text, StringComparison.Ordinal));
        string[] endpoints =
        [
            "authorization", "token", "registration", "revocation", "introspection", "pushed_authorization_request",
            "device_authorization", "backchannel_authentication", "userinfo", "end_session",
        ];
        foreach (var endpoint in endpoints)
        {
            Assert.StartsWith(
                town.Server.Issuer + "/",
                metadata.GetProperty(endpoint + "_endpoint").GetString()!,
                StringComparison.Ordinal);
        }

        IEnumerable<string> Texts(string name) => metadata.GetProperty(name).EnumerateArray().Select(
            item => item.GetString()!);
    }

    [Fact, Rfc(8414, "3.2"), Rfc("OpenID Connect Discovery", "4.2")]
    public async Task What_a_cache_keeps_may_be_read_by_a_page_whoever_asked_first()
    {
        foreach (var path in (string[])["/jwks", "/.well-known/oauth-authorization-server"])
        {
            using var answer = await town.Server.Http.GetAsync(new Uri(path, UriKind.Relative));

            Assert.True(answer.Headers.CacheControl!.Public);
            Assert.Equal("*", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
        }
    }

    [Fact]
    public async Task A_list_without_members_is_left_out()
    {
        await using var server = await TestServer.StartAsync("demo: false");

        var metadata = JsonElement.Parse(
            await server.Http.GetStringAsync(new Uri("/.well-known/openid-configuration", UriKind.Relative)));

        Assert.All(
            metadata.EnumerateObject().Where(member => member.Value.ValueKind is JsonValueKind.Array),
            member => Assert.NotEmpty(member.Value.EnumerateArray()));
        Assert.False(metadata.TryGetProperty("protected_resources", out _));
    }

    [Fact]
    public async Task An_endpoint_that_was_shut_is_not_promised()
    {
        await using var server = await TestServer.StartAsync(
            "registration: { dynamic: false, metadata_documents: false }");

        var metadata = JsonElement.Parse(
            await server.Http.GetStringAsync(new Uri("/.well-known/oauth-authorization-server", UriKind.Relative)));

        Assert.False(metadata.TryGetProperty("registration_endpoint", out _));
        Assert.False(metadata.GetProperty("client_id_metadata_document_supported").GetBoolean());
    }
}
