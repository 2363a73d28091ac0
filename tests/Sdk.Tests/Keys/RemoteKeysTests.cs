using Microsoft.Extensions.Logging.Abstractions;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Tests.Keys;

public sealed class RemoteKeysTests : IAsyncLifetime
{
    private readonly Issuer issuer = new();
    private readonly HttpClient client = new();
    private readonly CancellationToken stop = TestContext.Current.CancellationToken;
    private IssuerServer server = null!;

    public async ValueTask InitializeAsync() => server = await IssuerServer.StartAsync(issuer.Ec, Issuer.EcId);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        client.Dispose();
        issuer.Dispose();
    }

    [Theory]
    [InlineData("", "/.well-known/oauth-authorization-server")]
    [InlineData("", "/.well-known/openid-configuration")]
    [InlineData("/t/acme", "/.well-known/oauth-authorization-server/t/acme")]
    [InlineData("/t/acme", "/.well-known/openid-configuration/t/acme")]
    [InlineData("/t/acme", "/t/acme/.well-known/openid-configuration")]
    public async Task Keys_are_found_through_the_metadata_of_the_issuer(string issuerPath, string metadataPath)
    {
        var name = server.Url + issuerPath;
        server.Move(metadataPath, name);

        Assert.NotNull((await Remote(name).FindAsync(Issuer.EcId, stop))?[Issuer.EcId]);
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("")]
    public async Task Metadata_of_another_issuer_is_refused(string other)
    {
        server.Move("/.well-known/oauth-authorization-server", other);

        Assert.Null(await Remote().FindAsync(Issuer.EcId, stop));
    }

    [Fact]
    public async Task Http_is_refused_unless_a_test_says_otherwise()
    {
        var keys = new RemoteKeys(server.Url, () => client, issuer.Clock, NullLogger<RemoteKeys>.Instance);

        Assert.Null(await keys.FindAsync(Issuer.EcId, stop));
        Assert.Equal(0, server.Reads);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"keys":7}""")]
    public async Task A_document_that_is_no_key_set_leaves_the_old_keys_in_place(string document)
    {
        var keys = Remote();
        var before = await keys.FindAsync(Issuer.EcId, stop);

        server.Documents["/jwks"] = document;
        issuer.Clock.Advance(TimeSpan.FromMinutes(11));

        Assert.Same(before, await keys.FindAsync(Issuer.EcId, stop));
    }

    [Fact]
    public async Task A_document_without_end_is_not_read_to_its_end()
    {
        server.Documents["/jwks"] = new string(' ', RemoteKeys.MaxDocumentLength + 1);

        Assert.Null(await Remote().FindAsync(Issuer.EcId, stop));
    }

    [Fact]
    public async Task A_crowd_that_waits_for_keys_causes_one_fetch()
    {
        var keys = Remote();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => keys.FindAsync(Issuer.EcId, stop).AsTask()));

        Assert.Equal(1, server.Reads);
    }

    [Fact]
    public async Task An_unknown_kid_causes_one_fetch_in_half_a_minute()
    {
        var keys = Remote();
        await keys.FindAsync(Issuer.EcId, stop);
        issuer.Clock.Advance(TimeSpan.FromSeconds(31));

        for (var guess = 0; guess < 100; guess++)
        {
            Assert.Null((await keys.FindAsync($"guess{guess}", stop))![$"guess{guess}"]);
        }

        Assert.Equal(2, server.Reads);
    }

    [Fact]
    public async Task A_new_key_is_found_by_the_first_token_that_names_it()
    {
        using var next = new Issuer();
        var validator = Validator(Remote());
        Assert.IsType<AccessToken>(await validator.ValidateAsync(Mint(issuer), Issuer.Resource, stop));

        server.Publish((Issuer.EcId, issuer.Ec), ("next", next.Ec));
        issuer.Clock.Advance(TimeSpan.FromSeconds(31));

        var token = next.Mint(c => (c["iss"], c["iat"]) = (server.Url, issuer.Now), h => h["kid"] = "next");
        Assert.IsType<AccessToken>(await validator.ValidateAsync(token, Issuer.Resource, stop));
    }

    [Fact]
    public async Task The_tokens_of_a_withdrawn_key_end_though_remembered()
    {
        using var next = new Issuer();
        var validator = Validator(Remote());
        var token = Mint(issuer, life: 3600);
        Assert.IsType<AccessToken>(await validator.ValidateAsync(token, Issuer.Resource, stop));

        server.Publish(("next", next.Ec));
        issuer.Clock.Advance(TimeSpan.FromMinutes(10));

        Assert.IsType<TokenRefusal>(await validator.ValidateAsync(token, Issuer.Resource, stop));
    }

    [Fact]
    public async Task Keys_in_use_are_renewed_beside_the_requests()
    {
        using var next = new Issuer();
        var keys = Remote();
        var before = await keys.FindAsync(Issuer.EcId, stop);

        server.Publish(("next", next.Ec));
        issuer.Clock.Advance(TimeSpan.FromMinutes(6));

        Assert.Same(before, keys.Current);
        Assert.NotNull((await keys.FindAsync("next", stop))!["next"]);
        Assert.NotSame(before, keys.Current);
        Assert.Equal(2, server.Reads);
    }

    [Fact]
    public async Task The_same_document_is_the_same_set()
    {
        var keys = Remote();
        var before = await keys.FindAsync(Issuer.EcId, stop);
        issuer.Clock.Advance(TimeSpan.FromMinutes(11));

        Assert.Same(before, await keys.FindAsync(Issuer.EcId, stop));
        Assert.Equal(2, server.Reads);
    }

    [Fact]
    public async Task While_the_issuer_is_away_the_old_keys_serve_for_a_day()
    {
        var keys = Remote();
        var validator = Validator(keys);
        await keys.FindAsync(Issuer.EcId, stop);
        server.IsAway = true;

        issuer.Clock.Advance(TimeSpan.FromHours(23));
        Assert.IsType<AccessToken>(await validator.ValidateAsync(Mint(issuer), Issuer.Resource, stop));

        issuer.Clock.Advance(TimeSpan.FromHours(1));
        var refusal = Assert.IsType<TokenRefusal>(await validator.ValidateAsync(Mint(issuer), Issuer.Resource, stop));
        Assert.Equal((503, "temporarily_unavailable"), (refusal.Status, refusal.Code));

        server.IsAway = false;
        issuer.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.IsType<AccessToken>(await validator.ValidateAsync(Mint(issuer), Issuer.Resource, stop));
    }

    [Fact]
    public async Task An_application_that_names_only_its_issuer_finds_the_keys()
    {
        await using var api = await ResourceServer.StartAsync(issuer, options =>
            (options.Issuer, options.Keys, options.AllowInsecureHttpForTests) = (server.Url, null, true));
        using var good = await api.GetAsync("/notes", Mint(issuer));
        using var bad = await api.GetAsync("/notes", issuer.Mint());

        Assert.Equal("user_1", await good.Content.ReadAsStringAsync(stop));
        Assert.Equal(401, (int)bad.StatusCode);
    }

    [Fact]
    public async Task Without_keys_a_token_is_not_called_bad()
    {
        server.IsAway = true;
        await using var api = await ResourceServer.StartAsync(issuer, options =>
            (options.Issuer, options.Keys, options.AllowInsecureHttpForTests) = (server.Url, null, true));
        using var answer = await api.GetAsync("/notes", Mint(issuer));

        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(5), answer.Headers.RetryAfter!.Delta);
        Assert.Empty(answer.Headers.WwwAuthenticate);
    }

    private RemoteKeys Remote(string? name = null) => new(
        name ?? server.Url,
        () => client,
        issuer.Clock,
        NullLogger<RemoteKeys>.Instance,
        allowInsecureHttpForTests: true);

    private AccessTokenValidator Validator(IKeySource keys) => new(server.Url, keys, issuer.Clock);

    private string Mint(Issuer by, int life = 600) =>
        by.Mint(c => (c["iss"], c["exp"]) = (server.Url, by.Now + life));
}
