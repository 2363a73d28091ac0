using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Shared = Postern.Tests.Shared.Proofs;

namespace Postern.AspNetCore.Tests.Proofs;

/// <summary>A token that is bound to a key, at a resource server: with its proof or not at all (RFC 9449 §7).</summary>
public sealed class ProofTests(ProtectedApi api) : IClassFixture<ProtectedApi>, IAsyncLifetime
{
    private readonly DpopKey key = new();

    public static TheoryData<string> Bad => [.. Shared.AllBadWithToken];

    public static TheoryData<string> Good => [.. Shared.AllGood];

    // What remembers proofs begins with the first request; from a minute after that on no nonce is asked for.
    public async ValueTask InitializeAsync()
    {
        using var first = await api.Server.GetAsync("/notes");
    }

    public ValueTask DisposeAsync()
    {
        key.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory, MemberData(nameof(Bad))]
    public async Task A_bad_proof_is_refused_and_a_good_one_after_it_is_not(string name)
    {
        var ask = Ask();
        using var answer = await SendAsync(ask, Shared.Of(name, key, ask));
        using var good = await SendAsync(ask, key.Proof(ask));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains(
            "DPoP error=\"invalid_dpop_proof\"", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
    }

    [Theory, MemberData(nameof(Good))]
    public async Task What_says_the_same_in_other_words_is_taken(string name)
    {
        var ask = Ask();
        using var answer = await SendAsync(ask, Shared.Of(name, key, ask));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("PS256")]
    public async Task A_key_may_be_of_RSA(string algorithm)
    {
        using var rsa = RSA.Create(2048);
        _ = Shared.ByRsa(rsa, algorithm, new("GET", Issuer.Resource, 0), out var thumbprint);
        var ask = Ask(thumbprint);
        using var answer = await SendAsync(ask, Shared.ByRsa(rsa, algorithm, ask, out _));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_proof_is_good_once_also_when_fifty_race_with_it()
    {
        var ask = Ask();
        var proof = key.Proof(ask);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => SendAsync(ask, proof)));

        Assert.Single(answers, answer => answer.StatusCode is HttpStatusCode.OK);
        Array.ForEach(answers, answer => answer.Dispose());
    }

    [Theory]
    [InlineData("dpop")]
    [InlineData("DPOP")]
    public async Task The_scheme_is_compared_without_case(string scheme)
    {
        var ask = Ask();
        using var answer = await SendAsAsync(ask, scheme, key.Proof(ask));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_bound_token_is_no_bearer_token_with_its_proof_or_without()
    {
        var ask = Ask();
        using var alone = await SendAsAsync(ask, "Bearer");
        using var proven = await SendAsAsync(ask, "Bearer", key.Proof(ask));
        using var after = await SendAsync(ask, key.Proof(ask));
        using var again = await SendAsAsync(ask, "Bearer");

        Assert.All([alone, proven, again], answer =>
        {
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.StartsWith(
                "Bearer error=\"invalid_token\"",
                answer.Headers.WwwAuthenticate.ToString(),
                StringComparison.Ordinal);
        });
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Fact]
    public async Task Another_key_than_the_tokens_own_proves_nothing()
    {
        using var thief = new DpopKey();
        var ask = Ask();
        using var answer = await SendAsync(ask, thief.Proof(ask));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains(
            "DPoP error=\"invalid_token\"", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_is_bound_to_no_key_is_not_taken_with_a_proof()
    {
        var ask = Ask() with { Token = api.Issuer.Mint() };
        using var answer = await SendAsync(ask, key.Proof(ask));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains(
            "DPoP error=\"invalid_token\"", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}""")]
    [InlineData("""{"jkt":"{0}","x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}""")]
    [InlineData("""{"jkt":"{0}","more":true}""")]
    [InlineData("""{"jkt":["{0}"]}""")]
    [InlineData("{}")]
    [InlineData("null")]
    public async Task A_binding_that_is_not_understood_is_not_passed_over(string confirmation)
    {
        var json = confirmation.Replace("{0}", key.Thumbprint, StringComparison.Ordinal);
        var ask = Ask() with { Token = api.Issuer.Mint(c => c["cnf"] = JsonNode.Parse(json)) };
        using var proven = await SendAsync(ask, key.Proof(ask));
        using var bearer = await SendAsAsync(ask, "Bearer");

        Assert.Equal(HttpStatusCode.Unauthorized, proven.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, bearer.StatusCode);
    }

    [Fact]
    public async Task The_challenge_names_both_schemes_and_Bearer_first()
    {
        using var answer = await api.Server.GetAsync("/notes");

        Assert.Equal(
            "Bearer scope=\"notes:read\", "
            + "resource_metadata=\"https://api.example/.well-known/oauth-protected-resource/notes\", "
            + "DPoP algs=\"ES256 PS256 RS256\"",
            answer.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task A_resource_that_requires_bound_tokens_says_so_and_takes_no_others()
    {
        await using var server = await ResourceServer.StartAsync(api.Issuer, options => options.RequireDpop = true);
        using var bearer = await server.GetAsync("/notes", api.Issuer.Mint());
        var metadata = JsonNode.Parse(await server.Client.GetStringAsync(
            "/.well-known/oauth-protected-resource/notes"))!;

        Assert.Equal(HttpStatusCode.Unauthorized, bearer.StatusCode);
        Assert.True((bool)metadata["dpop_bound_access_tokens_required"]!);
        Assert.Equal("ES256", (string?)metadata["dpop_signing_alg_values_supported"]![0]);
    }

    [Fact]
    public async Task The_address_in_proofs_may_be_that_of_a_proxy()
    {
        await using var server = await ResourceServer.StartAsync(
            api.Issuer, options => options.PublicUrl = "https://front.example/api/");
        using var first = await server.GetAsync("/notes");
        var (inner, outer) = (Ask(), Ask() with { Url = "https://front.example/api/notes" });
        using var wrong = await SendAsync(inner, "DPoP", [key.Proof(inner)], server);
        using var right = await SendAsync(outer, "DPoP", [key.Proof(outer)], server);

        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    // A minute after the start, so that no nonce is asked for.
    private ProofAsk Ask(string? thumbprint = null)
    {
        api.Issuer.Clock.Advance(TimeSpan.FromSeconds(61));
        var token = api.Issuer.Mint(c => c["cnf"] = new JsonObject { ["jkt"] = thumbprint ?? key.Thumbprint });
        return new("GET", Issuer.Resource, api.Issuer.Now, token);
    }

    private Task<HttpResponseMessage> SendAsync(ProofAsk ask, params string[] proofs) =>
        SendAsync(ask, "DPoP", proofs, api.Server);

    private Task<HttpResponseMessage> SendAsAsync(ProofAsk ask, string scheme, params string[] proofs) =>
        SendAsync(ask, scheme, proofs, api.Server);

    private static async Task<HttpResponseMessage> SendAsync(
        ProofAsk ask, string scheme, string[] proofs, ResourceServer server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/notes");
        request.Headers.TryAddWithoutValidation("Authorization", $"{scheme} {ask.Token}");
        Array.ForEach(proofs, proof => request.Headers.TryAddWithoutValidation("DPoP", proof));
        return await server.Client.SendAsync(request);
    }
}
