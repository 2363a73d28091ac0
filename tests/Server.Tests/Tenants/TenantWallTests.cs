using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Postern.Audit;
using Postern.Grants;
using Postern.Identity.Setup;
using Postern.Platform.Tenants;
using Postern.Tests.OAuth;

namespace Postern.Tests.Tenants;

/// <summary>
/// Two tenants side by side, with the same people, servers and passwords: whatever one gave out is nothing at the other
/// (CVE-2026-9094).
/// </summary>
public sealed class TenantWallTests : IAsyncLifetime
{
    private TestServer server = null!;
    private Estate acme = null!, bird = null!;
    private Person ada = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(App.Town);
        (acme, bird) = (await Estate.AddAsync(server, "acme"), await Estate.AddAsync(server, "bird"));
        ada = acme.Visit();
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        acme.Dispose();
        bird.Dispose();
        await server.DisposeAsync();
    }

    [Fact, Rfc(8414, "6.2")]
    public async Task No_key_of_one_tenant_is_among_those_of_another()
    {
        var sets = new List<string>();
        foreach (var http in (HttpClient[])[server.Http, acme.Http, bird.Http])
        {
            var keys = JsonElement.Parse(await http.GetStringAsync(new Uri("/jwks", UriKind.Relative)));
            sets.AddRange(keys.GetProperty("keys").EnumerateArray().Select(key => key.GetProperty("kid").GetString()!));
        }

        Assert.Equal(3, sets.Count);
        Assert.Equal(sets.Count, sets.Distinct().Count());
    }

    [Fact, Rfc(6749, "10.5")]
    public async Task A_code_is_good_at_the_tenant_that_gave_it_alone()
    {
        var code = (await ada.AllowAsync(acme.Ask)).Code;
        foreach (var elsewhere in (App[])[bird.App, Root])
        {
            var own = await elsewhere.RedeemAsync(
                code, ("code_verifier", acme.App.Verifier), ("redirect_uri", null), ("resource", null));
            var brought = await elsewhere.RedeemAsync(
                code, ("client_id", acme.App.Id), ("client_secret", null), ("code_verifier", acme.App.Verifier));

            Assert.Equal((HttpStatusCode.BadRequest, "invalid_grant"), (own.Status, own.Error));
            Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (brought.Status, brought.Error));
        }

        Assert.Equal(HttpStatusCode.OK, (await acme.App.RedeemAsync(code)).Status);
    }

    [Fact, Rfc(6749, "10.4"), Rfc(7009, "2.1")]
    public async Task A_refresh_token_is_good_at_the_tenant_that_gave_it_alone_and_handed_back_only_there()
    {
        var token = (await acme.LetInAsync(ada)).RefreshToken;
        foreach (var elsewhere in (App[])[bird.App, Root])
        {
            var own = await elsewhere.RefreshAsync(token);
            var brought = await elsewhere.RefreshAsync(token, ("client_id", acme.App.Id), ("client_secret", null));

            Assert.Equal((HttpStatusCode.BadRequest, "invalid_grant"), (own.Status, own.Error));
            Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (brought.Status, brought.Error));
            Assert.Equal(HttpStatusCode.OK, (await elsewhere.RevokeAsync(token)).Status);
        }

        Assert.Equal(HttpStatusCode.OK, (await acme.App.RefreshAsync(token)).Status);
    }

    [Fact, Rfc(9068, "4")]
    public async Task An_access_token_opens_nothing_at_another_tenant()
    {
        var token = (await acme.LetInAsync(ada)).AccessToken;

        Assert.Equal(HttpStatusCode.OK, await acme.App.CallAsync(token));
        Assert.Equal(HttpStatusCode.Unauthorized, await bird.App.CallAsync(token));
        Assert.Equal(HttpStatusCode.Unauthorized, await Root.CallAsync(token));
        Assert.False(await App.Watch(server).IsAliveAsync(token));
        await bird.App.RevokeAsync(token);
        await Root.RevokeAsync(token);
        Assert.Equal(HttpStatusCode.OK, await acme.App.CallAsync(token));
        foreach (var path in (string[])["/api/grants", "/t/bird/api/grants", "/t/acme/api/grants"])
        {
            using var answer = await ApiAsync(HttpMethod.Get, path, token);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_browser_that_is_signed_in_at_one_tenant_is_a_strangers_at_another()
    {
        await ada.OpenAsync("/t/acme/signin");
        foreach (var name in (string[])["session", "known", "browser"])
        {
            var value = ada.Cookie(acme.Cookie(name))!;
            ada.Cookies.Add(new Cookie(bird.Cookie(name), value, "/", "127.0.0.1"));
            ada.Cookies.Add(new Cookie($"postern_{name}", value, "/", "127.0.0.1"));
        }

        foreach (var (path, signIn) in new[] { ("/t/bird/me", "/t/bird/signin"), ("/me", "/signin") })
        {
            using var answer = await ada.GetAsync(path);
            Assert.Equal(
                (HttpStatusCode.SeeOther, signIn), (answer.StatusCode, answer.Headers.Location?.OriginalString));
        }

        using var own = await ada.GetAsync("/t/acme/me");
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
    }

    [Fact, Rfc(9700, "4.7")]
    public async Task A_question_of_one_tenant_is_none_at_another_in_the_same_browser_too()
    {
        var question = await ada.AskedAsync(acme.Ask);
        ada.Cookies.Add(new Cookie(bird.Cookie("browser"), ada.Cookie(acme.Cookie("browser"))!, "/", "127.0.0.1"));
        await ada.OpenAsync("/t/bird/signin");
        var there = question.Address.Replace("/t/acme/", "/t/bird/", StringComparison.Ordinal);

        var shown = await ada.OpenAsync(there);
        var begun = await ada.OpenAsync(there.Replace("/consent?", "/authorize?", StringComparison.Ordinal));
        using var sent = await ada.PostAsync(question with { Address = there }, "allow");

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (shown.Status, begun.Status));
        Assert.Equal(HttpStatusCode.BadRequest, sent.StatusCode);
        Assert.Null(begun.Left);
        Assert.Equal(0, await CountAsync(bird, AuditKinds.GrantApproved));
    }

    [Fact, Rfc(9126, "2.2")]
    [Combines("PAR", "tenant")]
    public async Task A_request_that_was_pushed_to_one_tenant_is_none_at_another()
    {
        var pushed = await acme.App.PushAsync();
        foreach (var app in (App[])[acme.App, bird.App])
        {
            var stop = await ada.OpenAsync(bird.Tenant.Path + app.Pushed(pushed));
            Assert.Equal(HttpStatusCode.BadRequest, stop.Status);
            Assert.Null(stop.Left);
        }

        Assert.NotEmpty((await ada.AllowAsync(acme.Tenant.Path + acme.App.Pushed(pushed))).Code);
    }

    [Fact, Rfc(8628, "3.4")]
    [Combines("device", "tenant")]
    public async Task The_codes_of_a_device_are_good_at_the_tenant_that_gave_them_alone()
    {
        var (here, there) = (await GadgetAsync(acme), await GadgetAsync(bird));
        var asked = await here.AskAsync();
        var (device, user) = (asked.Member("device_code")!, asked.Member("user_code")!);

        Assert.Equal("invalid_grant", (await there.PollAsync(device)).Error);
        var page = (await ada.OpenAsync("/t/bird/device")).Page!;
        using var typed = await ada.SendAsync("/t/bird/device", new()
        {
            ["form"] = [page.Forms["device"]!.QuerySelector("input[name=form]")!.GetAttribute("value")!],
            ["user_code"] = [user],
        });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, typed.StatusCode);
        Assert.Equal("authorization_pending", (await here.PollAsync(device)).Error);
    }

    [Fact]
    public async Task A_form_of_one_tenant_is_refused_at_another()
    {
        var mine = await bird.LetInAsync(ada);
        var page = (await ada.OpenAsync("/t/acme/me")).Page!;
        await ada.OpenAsync("/t/bird/signin");
        var fields = new Dictionary<string, List<string>>
        {
            ["form"] = [page.QuerySelector("input[name=form]")!.GetAttribute("value")!],
            ["id"] = [mine.Claims.GetProperty("grant_id").GetString()!],
        };

        using var answer = await ada.SendAsync("/t/bird/me/grants/end", fields);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await bird.App.CallAsync(mine.AccessToken));
    }

    [Fact, Rfc(8707, "2"), Rfc(6749, "4.1.2.1")]
    public async Task Neither_the_clients_nor_the_resources_of_one_tenant_are_known_at_another()
    {
        var client = await ada.OpenAsync(bird.Tenant.Path + acme.App.Authorize());
        var resource = await ada.OpenAsync(bird.Tenant.Path + bird.App.Authorize(("resource", acme.App.Resource)));
        var configured = await ada.OpenAsync(
            bird.Tenant.Path
            + bird.App.Authorize(("client_id", "native"), ("redirect_uri", "http://127.0.0.1:8765/callback")));

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (client.Status, configured.Status));
        Assert.Contains("No such resource here", resource.Page!.Body!.TextContent);
        var itself = await App.Bench(server).PostAsync(
            "/t/bird/token",
            [("grant_type", "client_credentials"), ("client_id", "bench"), ("client_secret", App.BenchSecret)]);
        Assert.Equal("invalid_client", itself.Error);
    }

    [Fact]
    public async Task A_grant_is_ended_at_its_own_tenant_alone_by_its_person_and_by_the_api()
    {
        var grant = (await acme.LetInAsync(ada)).Claims.GetProperty("grant_id").GetString()!;
        await bird.LetInAsync(ada);
        var page = (await ada.OpenAsync("/t/bird/me")).Page!;
        using var tried = await ada.SendAsync("/t/bird/me/grants/end", new()
        {
            ["form"] = [page.QuerySelector("form[action$='/grants/end'] input[name=form]")!.GetAttribute("value")!],
            ["id"] = [grant],
        });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, tried.StatusCode);
        foreach (var root in (string[])["", "/t/bird"])
        {
            using var listed = await ApiAsync(HttpMethod.Get, $"{root}/api/grants");
            using var ended = await ApiAsync(HttpMethod.Delete, $"{root}/api/grants/{grant}");

            Assert.DoesNotContain(grant, await listed.Content.ReadAsStringAsync());
            Assert.Equal(HttpStatusCode.NotFound, ended.StatusCode);
        }

        Assert.Null(await server.Get<GrantBook>().FindAsync(bird.Tenant.Id, new(grant), default));
        using var own = await ApiAsync(HttpMethod.Delete, $"/t/acme/api/grants/{grant}");
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
    }

    [Fact]
    public async Task The_api_below_a_tenant_acts_on_that_tenant_and_its_log_tells_of_that_one_alone()
    {
        await acme.LetInAsync(ada);
        using var removed = await ApiAsync(HttpMethod.Delete, "/t/acme/api/servers/echo");
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);

        using var here = await ApiAsync(HttpMethod.Get, "/t/acme/api/servers");
        using var there = await ApiAsync(HttpMethod.Get, "/t/bird/api/servers");
        using var nowhere = await ApiAsync(HttpMethod.Get, "/t/acme/api/tenants");
        Assert.DoesNotContain("echo", await here.Content.ReadAsStringAsync());
        Assert.Contains($"{bird.Tenant.Issuer}/mcp/echo", await there.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.NotFound, nowhere.StatusCode);
        Assert.Equal(1, await CountAsync(acme, AuditKinds.ServerRemoved));
        Assert.Equal(0, await CountAsync(bird, AuditKinds.ServerRemoved));
        Assert.All(
            await server.Get<AuditLog>().AfterAsync(bird.Tenant.Id, -1, 1000, default),
            row => Assert.Contains($"\"tenant\":\"{bird.Tenant.Id}\"", row.Record));
        foreach (var (cursor, status) in new[]
            { ("/t/acme", HttpStatusCode.OK), ("/t/bird", HttpStatusCode.BadRequest) })
        {
            var sealed_ = server.Get<Postern.Api.Cursors>().Seal(acme.Tenant.Id, "grants", "gr_");
            using var answer = await ApiAsync(HttpMethod.Get, $"{cursor}/api/grants?cursor={sealed_}");
            Assert.Equal(status, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_setup_link_makes_the_administrator_of_its_tenant_alone()
    {
        var cub = await server.Get<TenantBook>().AddAsync(new() { Name = "cub" }, (_, _) => { }, default);
        var link = (await server.Get<SetupLinks>().OfferAsync(cub!, default))!;
        var query = link[link.IndexOf('?', StringComparison.Ordinal)..];
        using var visitor = new Person(server);
        Assert.StartsWith($"{server.Issuer}/t/cub/setup?", link, StringComparison.Ordinal);

        using var good = await visitor.GetAsync($"/t/cub/setup{query}");
        using var bad = await visitor.GetAsync($"/t/acme/setup{query}");
        using var root = await visitor.GetAsync($"/setup{query}");

        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        Assert.Equal((HttpStatusCode.Gone, HttpStatusCode.Gone), (bad.StatusCode, root.StatusCode));
    }

    [Fact]
    public async Task Changing_the_key_of_one_tenant_leaves_the_others_theirs()
    {
        var (mine, theirs) = (await acme.LetInAsync(ada), await bird.LetInAsync(ada));

        using var content = new StringContent("""{"now":true}""", MediaTypeHeaderValue.Parse("application/json"));
        using var answer = await ApiAsync(HttpMethod.Post, "/t/acme/api/keys", body: content);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await acme.App.CallAsync(mine.AccessToken));
        Assert.Equal(HttpStatusCode.OK, await bird.App.CallAsync(theirs.AccessToken));
        Assert.Equal(HttpStatusCode.OK, (await acme.App.RefreshAsync(mine.RefreshToken)).Status);
    }

    private App Root => App.Web(server);

    private static async Task<Gadget> GadgetAsync(Estate estate) =>
        new(new(estate.Http, estate.Tenant.Issuer, await estate.RegisterAsync(Gadget.GrantType), ""));

    private async Task<int> CountAsync(Estate estate, string kind) =>
        (await server.Get<AuditLog>().AfterAsync(estate.Tenant.Id, -1, 1000, default)).Count(row => row.Kind == kind);

    private async Task<HttpResponseMessage> ApiAsync(
        HttpMethod method, string path, string? token = null, HttpContent? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body };
        request.Headers.Authorization = new(
            "Bearer", token ?? (await File.ReadAllTextAsync(Path.Combine(server.Folder, "admin.token"))).Trim());
        return await server.Http.SendAsync(request);
    }
}
