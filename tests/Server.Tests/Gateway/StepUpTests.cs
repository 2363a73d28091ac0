using System.Net;
using System.Text.Json.Nodes;
using Postern.Audit;
using static Postern.Tests.Gateway.GatewayHost;

namespace Postern.Tests.Gateway;

/// <summary>
/// Servers, classes and single tools that want a person to have signed in strongly, or lately (RFC 9470).
/// </summary>
public sealed class StepUpTests : IAsyncLifetime
{
    private static readonly string Needed = $"acr_values=\"{Acr.Passkey}\", max_age=\"300\"";

    private Behind modern = null!, legacy = null!;
    private GatewayHost host = null!;

    public static TheoryData<string> Eras => ["parts", "older"];

    public async ValueTask InitializeAsync()
    {
        (modern, legacy) = (await Behind.ModernAsync(), await Behind.LegacyAsync());
        const string Parts = "{ destroy: { acr: [phr] }, tools: [{ name: write, max_age: 5m }] }";
        host = await GatewayHost.StartAsync(
            $$"""
              - { name: strict, http: "{{modern.Url}}", require: { acr: [phr], max_age: 5m } }
              - { name: parts, http: "{{modern.Url}}", require: {{Parts}} }
              - { name: older, http: "{{legacy.Url}}", require: {{Parts}} }
              - { name: lax, http: "{{modern.Url}}", require: { acr: ["{{Acr.Password}}"] } }
            """);
        await Task.WhenAll(host.ToolsOfAsync("strict"), host.ToolsOfAsync("parts"), host.ToolsOfAsync("older"));
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await modern.DisposeAsync();
        await legacy.DisposeAsync();
    }

    [Theory, Rfc(9470, "3"), Rfc(9470, "4")]
    [InlineData(null, 0, false)]
    [InlineData(Acr.Password, 0, false)]
    [InlineData(Acr.Passkey, 301, false)]
    [InlineData(Acr.Passkey, 299, true)]
    public async Task On_every_verb_a_weak_or_old_sign_in_is_told_what_is_wanting(string? acr, int ago, bool isEnough)
    {
        var token = host.Token(await host.GrantAsync("strict", acr: acr, ago: TimeSpan.FromSeconds(ago)));
        foreach (var verb in new[] { HttpMethod.Post, HttpMethod.Get, HttpMethod.Delete })
        {
            using var answer = await host.SendAsync(verb, "strict", token, null);

            Assert.Equal(isEnough, answer.StatusCode is not HttpStatusCode.Unauthorized);
            Assert.Equal(isEnough, !Challenge(answer).Contains(Needed, StringComparison.Ordinal));
            Assert.Equal(
                isEnough,
                !Challenge(answer).StartsWith(
                    "Bearer error=\"insufficient_user_authentication\"", StringComparison.Ordinal));
        }
    }

    [Fact, Rfc(9470, "3")]
    public async Task A_sign_in_grows_old_while_its_token_lives()
    {
        var token = host.Token(await host.GrantAsync("strict", acr: Acr.Passkey));
        using var early = await host.CallAsync("strict", token, "echo");
        host.Clock.Advance(TimeSpan.FromSeconds(301));
        using var late = await host.CallAsync("strict", token, "echo");

        Assert.Equal(HttpStatusCode.OK, early.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, late.StatusCode);
        Assert.Contains("Not allowed yet", (string?)(await JsonOf(late))["error"]!["message"]);
    }

    [Fact, Rfc(9470, "3")]
    public async Task What_is_stronger_than_enough_is_enough()
    {
        var weak = host.Token(await host.GrantAsync("lax", acr: null));
        var strong = host.Token(await host.GrantAsync("lax", acr: Acr.Passkey));
        using var refused = await host.ModernAsync("lax", weak, "tools/list");
        using var let = await host.ModernAsync("lax", strong, "tools/list");

        Assert.Contains(
            $"acr_values=\"{Acr.Password} {Acr.Passkey}\"", Challenge(refused), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, let.StatusCode);
    }

    [Fact, Rfc(9470, "10")]
    public async Task What_is_demanded_is_told_to_those_alone_whose_token_is_good()
    {
        var ended = await host.GrantAsync("strict");
        await host.RevokeAsync(ended);
        using var nobody = await host.ModernAsync("strict", null, "tools/list");
        using var over = await host.ModernAsync("strict", host.Token(ended), "tools/list");

        Assert.All([nobody, over], answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode));
        Assert.All([nobody, over], answer => Assert.DoesNotContain("acr_values", Challenge(answer)));
    }

    [Theory, MemberData(nameof(Eras)), Rfc(9470, "3")]
    public async Task A_class_and_a_tool_have_demands_of_their_own_in_both_eras(string at)
    {
        var old = host.Token(await host.GrantAsync(at, ago: TimeSpan.FromMinutes(6)));
        var session = await host.InitializeAsync(at, old);
        HttpResponseMessage[] reads =
            [await host.CallAsync(at, old, "echo"), await host.LegacyCallAsync(at, old, session, "echo")];
        var before = Calls();
        HttpResponseMessage[] wipes =
            [await host.CallAsync(at, old, "wipe"), await host.LegacyCallAsync(at, old, session, "wipe")];
        HttpResponseMessage[] writes =
            [await host.CallAsync(at, old, "write"), await host.LegacyCallAsync(at, old, session, "write")];

        Assert.All(reads, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.All(wipes, answer => Refused(answer, $"acr_values=\"{Acr.Passkey}\", scope="));
        Assert.All(writes, answer => Refused(answer, "max_age=\"300\", scope="));
        Assert.Equal(before, Calls());
        var denied = (await host.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default))
            .Where(entry => entry.Kind is AuditKinds.ToolCallDecision)
            .Select(entry => JsonNode.Parse(entry.Record)!)
            .Where(record => record.ToJsonString().Contains("must sign in again", StringComparison.Ordinal));
        Assert.Equal(4, denied.Count());
        Array.ForEach([.. reads, .. wipes, .. writes], answer => answer.Dispose());
    }

    [Theory, MemberData(nameof(Eras)), Rfc(9470, "3")]
    public async Task Who_has_signed_in_as_is_demanded_calls(string at)
    {
        var strong = host.Token(await host.GrantAsync(at, acr: Acr.Passkey));
        using var wipe = await host.CallAsync(at, strong, "wipe");
        using var write = await host.CallAsync(at, strong, "write");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (wipe.StatusCode, write.StatusCode));
        Assert.Null((await JsonOf(wipe))["error"]);
    }

    [Fact, Rfc(9470, "3")]
    public async Task Scopes_that_are_wanting_too_stand_in_the_same_challenge()
    {
        var token = host.Token(await host.GrantAsync("parts", "mcp:read"));
        using var answer = await host.CallAsync("parts", token, "wipe");

        Refused(answer, $"acr_values=\"{Acr.Passkey}\", scope=\"mcp:read mcp:destroy\"");
    }

    [Fact]
    public async Task A_client_that_acts_as_itself_is_told_that_no_person_is_there()
    {
        var everywhere = host.Token(await host.GrantAsync("strict", isOwn: true));
        var parts = host.Token(await host.GrantAsync("parts", isOwn: true));
        HttpResponseMessage[] refused =
            [await host.CallAsync("strict", everywhere, "echo"), await host.CallAsync("parts", parts, "wipe")];
        using var echo = await host.CallAsync("parts", parts, "echo");

        foreach (var answer in refused)
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            Assert.Empty(answer.Headers.WwwAuthenticate);
            Assert.Contains("a person must have signed in", (string?)(await JsonOf(answer))["error"]!["message"]);
            answer.Dispose();
        }

        Assert.Equal(HttpStatusCode.OK, echo.StatusCode);
    }

    private int Calls() => modern.Seen.Concat(legacy.Seen).Count(seen => seen.Body.Contains("tools/call"));

    private static string Challenge(HttpResponseMessage answer) => answer.Headers.WwwAuthenticate.ToString();

    private static void Refused(HttpResponseMessage answer, string with)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.StartsWith(
            "Bearer error=\"insufficient_user_authentication\"", Challenge(answer), StringComparison.Ordinal);
        Assert.Contains(with, Challenge(answer), StringComparison.Ordinal);
        Assert.Contains("resource_metadata=", Challenge(answer), StringComparison.Ordinal);
    }
}
