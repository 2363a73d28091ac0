using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Postern.Tests.Interop;

/// <summary>
/// The same requests to this server and to npm <c>oidc-provider</c>: status, error, and the names of headers, members
/// and claims. What differs is told with its reason in docs/differences.md.
/// </summary>
public sealed class DifferenceTests
{
    private const string Head = """
        # What another server answers to the same requests

        Both get the requests of `tests/interop/differ`, word for word: Postern, and npm `oidc-provider` 9
        (`tests/interop/peer`). Where their answers differ in status, error, or in the names of headers, members and
        claims, both stand here with the reason.


        """;

    private static readonly JsonKey Key = new();

    private static readonly ShownCertificates Shown = new();

    private static string Yaml =>
        $$"""
        mtls: { proxies: [127.0.0.1/32], authorities: [{{Shown.AuthorityFile}}] }
        users:
          - { email: ada@example.test, password: correct-horse-battery-staple }
        clients:
          - client_id: app
            redirect_uris: [http://127.0.0.1:8765/callback]
            token_endpoint_auth_method: none
            grant_types: [authorization_code, refresh_token]
          - client_id: web
            client_secret: web-secret-web-secret-web-secret-web
            token_endpoint_auth_method: client_secret_post
            redirect_uris: [http://127.0.0.1:8765/callback]
          - client_id: keyed
            redirect_uris: [http://127.0.0.1:8765/callback]
            token_endpoint_auth_method: private_key_jwt
            jwks: '{"keys":[{{Key.Public}}]}'
          - { client_id: tv, grant_types: ["urn:ietf:params:oauth:grant-type:device_code"] }
          - client_id: bench
            client_secret: bench-secret-bench-secret-bench-1
            token_endpoint_auth_method: client_secret_post
            grant_types: [client_credentials]
            resources: [notes]
          - client_id: issued
            token_endpoint_auth_method: tls_client_auth
            tls_client_auth_subject_dn: CN=agent
            grant_types: [client_credentials]
            resources: [notes]
          - client_id: self
            token_endpoint_auth_method: self_signed_tls_client_auth
            jwks: '{{Shown.Jwks}}'
            tls_client_certificate_bound_access_tokens: true
            grant_types: [client_credentials]
            resources: [notes]
          - client_id: butler
            client_secret: web-secret-web-secret-web-secret-web
            token_endpoint_auth_method: client_secret_post
            grant_types: ["urn:openid:params:grant-type:ciba"]
          - client_id: bell
            client_secret: web-secret-web-secret-web-secret-web
            token_endpoint_auth_method: client_secret_post
            grant_types: ["urn:openid:params:grant-type:ciba"]
            backchannel_token_delivery_mode: ping
            backchannel_client_notification_endpoint: https://bell.example/told
          - client_id: watch
            client_secret: web-secret-web-secret-web-secret-web
            token_endpoint_auth_method: client_secret_post
            grant_types: [client_credentials]
            introspects: [notes]
        """;

    [Fact]
    public async Task Where_two_servers_answer_differently_there_is_a_reason()
    {
        await using var server = await TestServer.StartAsync(
            Yaml, replace: services => services.AddSingleton(TimeProvider.System));
        using var peer = await Node.ServeAsync("peer/server.mjs", "--server", "notes", "--jwk", Key.Public,
            "--certificates", Shown.Json);
        var ours = await AnswersAsync(server.Issuer);
        var theirs = await AnswersAsync(peer.Url);

        var same = ours.Keys.Where(name => ours[name] == theirs[name]).ToList();
        var different = ours.Keys.Except(same).ToList();
        var page = new StringBuilder(Head.ReplaceLineEndings("\n"));
        foreach (var name in different)
        {
            page.Append($"**{name}**  \nPostern: {ours[name]}  \n`oidc-provider`: {theirs[name]}  \n");
            page.Append($"{Differences.Reasons.GetValueOrDefault(name, "(no reason)")}\n\n");
        }

        page.Append($"The same: {string.Join("; ", same)}.\n");
        CommittedFile.Matches(page.ToString(), "../../../docs/differences.md");
        Assert.Equal(different.Order(), Differences.Reasons.Keys.Order());
    }

    private static async Task<Dictionary<string, string>> AnswersAsync(string address)
    {
        var answer = await Node.RunAsync(
            "differ/run.mjs", "--base", address, "--server", "notes", "--key", Key.Private,
            "--certificates", Shown.Json);
        Assert.True(answer.Succeeded, answer.ToString());
        return answer.Json.GetProperty("answers").EnumerateObject()
            .ToDictionary(item => item.Name, item => Words(item.Value), StringComparer.Ordinal);
    }

    private static string Words(JsonElement answer) => string.Join(
        ", ",
        answer.EnumerateObject()
            .Where(part => part.Value.ValueKind is not JsonValueKind.Array || part.Value.GetArrayLength() > 0)
            .Select(part => part.Name is "status" or "error" or "to"
                ? part.Value.ToString()
                : $"{part.Name} {Names(part.Value)}"));

    private static string Names(JsonElement value) => value.ValueKind is JsonValueKind.Array
        ? string.Join(" + ", value.EnumerateArray().Select(item => $"`{item}`"))
        : $"`{value.ToString().ToLowerInvariant()}`";
}
