using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Postern.Audit;

namespace Postern.Tests;

/// <summary>
/// Randomness is handed in, as the clock is: identifiers and secrets come from the source a test owns.
/// </summary>
public sealed class RandomnessTests
{
    [Fact]
    [Rfc(6749, "10.10")]
    public async Task Identifiers_and_secrets_are_drawn_from_the_source_that_is_handed_in()
    {
        using var source = new Source();
        await using var server = await TestServer.StartAsync(
            App.Town, replace: services => services.AddSingleton<RandomNumberGenerator>(source));
        using var ada = new Person(server);
        var app = App.Native(server);
        var code = (await ada.AllowAsync(app.Authorize())).Code;
        var claims = (await app.RedeemAsync(code)).Claims;
        var client = await RegisterAsync(server);

        Assert.All(
            [
                File.ReadAllText(Path.Combine(server.Folder, "master.key")).Trim().Split(':')[1],
                File.ReadAllText(Path.Combine(server.Folder, "admin.token")).Trim()["pad_".Length..],
                ada.Cookie("postern_browser")!,
                ada.Cookie("postern_session")!["pss_".Length..],
                claims.GetProperty("jti").GetString()!,
                client.GetProperty("client_id").GetString()!["c_".Length..],
                client.GetProperty("client_secret").GetString()!,
            ],
            secret => Assert.Contains(source.Drawn, bytes => Base64Url.EncodeToString(bytes).StartsWith(secret)));
        Assert.Contains(Base64Url.DecodeFromChars(code.AsSpan("pac_".Length))[9..21], source.Drawn);

        // The bits behind version and variant: the last seven bytes as they were drawn.
        var entry = (await server.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1, default))[0];
        Assert.All(
            [
                claims.GetProperty("sub").GetString()!,
                claims.GetProperty("grant_id").GetString()!,
                JsonElement.Parse(entry.Record).GetProperty("id").GetString()!.Replace("-", ""),
            ],
            id => Assert.Contains(source.Drawn, bytes => Convert.ToHexStringLower(bytes).EndsWith(id[^14..])));
    }

    // The example of appendix A.6; what is drawn has other bits where version and variant go.
    [Fact, Rfc(9562, "5.7")]
    public void An_identifier_is_the_time_in_milliseconds_and_then_what_was_drawn()
    {
        using var source = new Source(0xfc, 0xc3, 0xd8, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f);
        var now = DateTimeOffset.FromUnixTimeMilliseconds(0x017F22E279B0);

        Assert.Equal(new("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), source.Version7(now));
    }

    private static async Task<JsonElement> RegisterAsync(TestServer server)
    {
        using var answer = await server.Http.PostAsJsonAsync("/register", new
        {
            redirect_uris = (string[])["https://a.example/cb"],
            token_endpoint_auth_method = "client_secret_post",
        });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Gives what it is told to, or else what nobody can guess, and remembers all of it.</summary>
    private sealed class Source(params byte[] given) : RandomNumberGenerator
    {
        public ConcurrentQueue<byte[]> Drawn { get; } = [];

        public override void GetBytes(byte[] data) => GetBytes(data.AsSpan());

        public override void GetBytes(Span<byte> data)
        {
            if (given.Length is 0)
            {
                Fill(data);
            }
            else
            {
                given.CopyTo(data);
            }

            Drawn.Enqueue(data.ToArray());
        }
    }
}
