using System.Net;

namespace Postern.Tests.Gateway;

/// <summary>A bound token at the gateway: with its proof, on every verb, or not at all (RFC 9449 §7).</summary>
public sealed class DpopGateTests : IAsyncLifetime
{
    private readonly DpopKey key = new();
    private GatewayHost host = null!;
    private string token = "";

    public static TheoryData<string> Bad => [.. Proofs.AllBadWithToken];

    public static TheoryData<string> Good => [.. Proofs.AllGood];

    public async ValueTask InitializeAsync()
    {
        host = await GatewayHost.StartAsync("  - { name: crm, http: http://127.0.0.1:9/mcp }");
        // So that no nonce is asked for.
        host.Clock.Advance(TimeSpan.FromSeconds(71));
        token = host.Token(await host.GrantAsync("crm"), thumbprint: key.Thumbprint);
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        key.Dispose();
    }

    [Theory, MemberData(nameof(Bad)), Rfc(9449, "4.3"), Rfc(9449, "7.1")]
    public async Task A_bad_proof_opens_nothing_and_a_good_one_after_it_does(string name)
    {
        var ask = Ask("POST");
        using var bad = await SendAsync("DPoP", ask, Proofs.Of(name, key, ask));
        using var good = await SendAsync("DPoP", ask, key.Proof(ask));

        Assert.Equal(HttpStatusCode.Unauthorized, bad.StatusCode);
        Assert.Contains("DPoP error=\"invalid_dpop_proof\"", Challenge(bad), StringComparison.Ordinal);
        Assert.StartsWith("Bearer scope=", Challenge(bad), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
    }

    [Theory, MemberData(nameof(Good)), Rfc(9449, "4.3")]
    public async Task What_says_the_same_in_other_words_is_taken(string name)
    {
        var ask = Ask("POST");
        using var answer = await SendAsync("dpop", ask, Proofs.Of(name, key, ask));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory, Rfc(9449, "7.1"), Rfc(9449, "7.2")]
    [InlineData("POST")]
    [InlineData("GET")]
    [InlineData("DELETE")]
    public async Task On_every_verb_a_bound_token_is_no_bearer_token_and_another_key_is_nobody(string verb)
    {
        using var thief = new DpopKey();
        var ask = Ask(verb);
        using var alone = await SendAsync("Bearer", ask);
        using var proven = await SendAsync("Bearer", ask, key.Proof(ask));
        using var unproven = await SendAsync("DPoP", ask);
        using var stolen = await SendAsync("DPoP", ask, thief.Proof(ask));
        using var otherVerb = await SendAsync("DPoP", ask, key.Proof(ask with { Method = "PUT" }));
        using var right = await SendAsync("DPoP", ask, key.Proof(ask));

        Assert.All(
            [alone, proven, unproven, stolen, otherVerb],
            answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode));
        Assert.StartsWith("Bearer error=\"invalid_token\"", Challenge(alone), StringComparison.Ordinal);
        Assert.Contains("DPoP error=\"invalid_token\"", Challenge(stolen), StringComparison.Ordinal);
        Assert.NotEqual(HttpStatusCode.Unauthorized, right.StatusCode);
    }

    [Fact, Rfc(9449, "7.1")]
    public async Task A_token_in_the_header_for_proxies_opens_nothing()
    {
        var ask = Ask("GET");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/mcp/crm");
        request.Headers.TryAddWithoutValidation("Proxy-Authorization", $"DPoP {token}");
        request.Headers.TryAddWithoutValidation("DPoP", key.Proof(ask));

        using var answer = await host.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Proxy-Authenticate"));
    }

    [Fact, Rfc(9449, "7.1")]
    public async Task A_bearer_token_is_not_taken_with_a_proof_in_the_other_scheme()
    {
        var ask = Ask("POST") with { Token = host.Token(await host.GrantAsync("crm")) };
        using var dpop = await SendAsync("DPoP", ask, key.Proof(ask));
        using var bearer = await SendAsync("Bearer", ask);

        Assert.Equal(HttpStatusCode.Unauthorized, dpop.StatusCode);
        Assert.Equal(HttpStatusCode.OK, bearer.StatusCode);
    }

    [Theory, OnBoth, Rfc(9449, "11.1")]
    public async Task Of_fifty_calls_with_one_proof_one_is_let_in(On on)
    {
        await using var other = await GatewayHost.StartAsync("  - { name: crm, http: http://127.0.0.1:9/mcp }", on: on);
        other.Clock.Advance(TimeSpan.FromSeconds(71));
        var bound = other.Token(await other.GrantAsync("crm"), thumbprint: key.Thumbprint);
        var ask = new ProofAsk("POST", $"{other.Issuer}/mcp/crm", other.Clock.GetUtcNow().ToUnixTimeSeconds(), bound);
        var proof = key.Proof(ask);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => SendAsync(other, "DPoP", ask, proof)));

        Assert.Single(answers, answer => answer.StatusCode is HttpStatusCode.OK);
        Array.ForEach(answers, answer => answer.Dispose());
    }

    [Fact, Rfc(9449, "11.1")]
    public async Task A_proof_that_one_node_has_seen_is_refused_at_the_other()
    {
        const string Servers = "  - { name: crm, http: http://127.0.0.1:9/mcp }";
        await using var one = await GatewayHost.StartAsync(Servers, on: On.Postgres);
        await using var two = await GatewayHost.StartAsync(Servers, like: one);
        var bound = one.Token(await one.GrantAsync("crm"), thumbprint: key.Thumbprint);
        var ask = new ProofAsk("POST", $"{one.Issuer}/mcp/crm", one.Clock.GetUtcNow().ToUnixTimeSeconds(), bound);
        var proof = key.Proof(ask);

        using var here = await SendAsync(one, "DPoP", ask, proof);
        using var there = await SendAsync(two, "DPoP", ask, proof);
        using var fresh = await SendAsync(two, "DPoP", ask, key.Proof(ask));

        Assert.Equal(HttpStatusCode.OK, here.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, there.StatusCode);
        Assert.Equal(HttpStatusCode.OK, fresh.StatusCode);
    }

    [Fact, Rfc(9449, "9")]
    public async Task A_gateway_that_requires_nonces_says_which()
    {
        await using var strict = await GatewayHost.StartAsync(
            "  - { name: crm, http: http://127.0.0.1:9/mcp }", "dpop: { require_nonce: true }");
        var bound = strict.Token(await strict.GrantAsync("crm"), thumbprint: key.Thumbprint);
        var ask = new ProofAsk("POST", $"{strict.Issuer}/mcp/crm", strict.Clock.GetUtcNow().ToUnixTimeSeconds(), bound);

        using var asked = await SendAsync(strict, "DPoP", ask, key.Proof(ask));
        var nonce = asked.Headers.GetValues("DPoP-Nonce").Single();
        using var taken = await SendAsync(strict, "DPoP", ask, key.Proof(ask, nonce: nonce));

        Assert.Equal(HttpStatusCode.Unauthorized, asked.StatusCode);
        Assert.Contains("DPoP error=\"use_dpop_nonce\"", Challenge(asked), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
    }

    [Fact, Rfc(9449, "8")]
    public async Task A_page_may_send_proofs_and_read_nonces()
    {
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/mcp/crm")
        {
            Headers =
            {
                { "Origin", host.Issuer },
                { "Access-Control-Request-Method", "POST" },
                { "Access-Control-Request-Headers", "authorization,dpop" },
            },
        };
        using var asked = await host.Http.SendAsync(preflight);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp/crm");
        request.Headers.Add("Origin", host.Issuer);
        using var answer = await host.Http.SendAsync(request);

        Assert.Equal("authorization, dpop", asked.Headers.GetValues("Access-Control-Allow-Headers").Single());
        Assert.Contains(
            "DPoP-Nonce",
            answer.Headers.GetValues("Access-Control-Expose-Headers").Single(),
            StringComparison.Ordinal);
    }

    private static string Challenge(HttpResponseMessage answer) => answer.Headers.WwwAuthenticate.ToString();

    private ProofAsk Ask(string verb) =>
        new(verb, $"{host.Issuer}/mcp/crm", host.Clock.GetUtcNow().ToUnixTimeSeconds(), token);

    private Task<HttpResponseMessage> SendAsync(string scheme, ProofAsk ask, params string[] proofs) =>
        SendAsync(host, scheme, ask, proofs);

    private static async Task<HttpResponseMessage> SendAsync(
        GatewayHost at, string scheme, ProofAsk ask, params string[] proofs)
    {
        using var request = new HttpRequestMessage(new(ask.Method), "/mcp/crm");
        if (ask.Method is "POST")
        {
            request.Content = new StringContent(
                """{"jsonrpc":"2.0","id":1,"method":"ping"}""", System.Text.Encoding.UTF8, "application/json");
        }

        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        request.Headers.TryAddWithoutValidation("Authorization", $"{scheme} {ask.Token}");
        Array.ForEach(proofs, proof => request.Headers.TryAddWithoutValidation("DPoP", proof));
        return await at.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
