using System.Net;
using System.Security.Cryptography;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;
using Postern.Platform;
using Postern.Platform.Database;
using Postern.Platform.Keys;
using Postern.Platform.Outbound;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Logout;

/// <summary>
/// Tells clients that a session ended (OpenID Connect Back-Channel Logout §2.5): at once where it can be, and again for
/// hours where a client does not answer.
/// </summary>
internal sealed class LogoutSender : IHostedService, IDisposable
{
    /// <summary>The <c>typ</c> of a logout token, and of nothing else (§2.4).</summary>
    public const string Type = "logout+jwt";

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30), Life = TimeSpan.FromMinutes(2);

    /// <summary>What a client answers is not read; that it answers is enough.</summary>
    private static readonly FetchRules Rules = new(0, TimeSpan.FromSeconds(3)) { IsUnread = true };

    private readonly Logouts logouts;
    private readonly ClientBook clients;
    private readonly Subjects subjects;
    private readonly JwtWriter jwt;
    private readonly SafeHttp outbound;
    private readonly TenantBook tenants;
    private readonly TimeProvider clock;
    private readonly RandomNumberGenerator random;
    private readonly Reload sending;
    private ITimer? timer;

    public LogoutSender(
        Logouts logouts,
        ClientBook clients,
        Subjects subjects,
        JwtWriter jwt,
        SafeHttp outbound,
        TenantBook tenants,
        Changes changes,
        TimeProvider clock,
        RandomNumberGenerator random,
        ILogger<LogoutSender> logger)
    {
        (this.logouts, this.clients, this.subjects, this.jwt) = (logouts, clients, subjects, jwt);
        (this.outbound, this.tenants, this.clock, this.random) = (outbound, tenants, clock, random);
        sending = new("back-channel logouts", SendAsync, clock, logger);
        changes.Subscribe(change =>
        {
            if (change.Kind is Logouts.Kind)
            {
                sending.Soon();
            }
        });
    }

    /// <summary>Not before: there is no database yet. What other nodes left is taken up from then on.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        timer = clock.CreateTimer(_ => sending.Soon(), null, Every, Every);
        return Task.CompletedTask;
    }

    /// <summary>While there still is one.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        timer?.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Tells whoever is due now; returns when each was told or has not answered in time.</summary>
    public Task NowAsync(CancellationToken stop) => sending.NowAsync(stop);

    public void Dispose()
    {
        timer?.Dispose();
        sending.Dispose();
    }

    private async Task SendAsync(CancellationToken stop)
    {
        while (await logouts.TakeAsync(stop) is { Count: > 0 } due)
        {
            await Task.WhenAll(due.Select(logout => TellAsync(logout, stop)));
        }
    }

    private async Task TellAsync(LogoutDue logout, CancellationToken stop)
    {
        var found = await clients.FindKnownAsync(logout.Tenant, logout.Client.Value, network: "", stop);
        if (tenants.Find(logout.Tenant) is not { } tenant
            || found.Failed(out _, out var client)
            || client.OpenId.BackchannelLogoutUri is not { } uri
            || await IsDoneAsync(tenant, client, uri, logout, stop)
            || logout.Attempts + 1 >= Logouts.MostAttempts)
        {
            await logouts.ForgetAsync(logout);
        }
    }

    // §2.5, §2.8: a client that says that it cannot is not told again; one that is away, or says anything else, is.
    private async Task<bool> IsDoneAsync(
        Tenant tenant, Client client, string uri, LogoutDue logout, CancellationToken stop)
    {
        var token = await TokenAsync(tenant, client, logout, stop);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(uri));
        request.Content = new FormUrlEncodedContent([KeyValuePair.Create("logout_token", token)]);
        return await outbound.SendAsync(request, Rules.For(client), stop) is FetchOutcome.Answered
        {
            Status: HttpStatusCode.OK or HttpStatusCode.NoContent or HttpStatusCode.BadRequest,
        };
    }

    // §2.4. No nonce: it must not pass for an ID token.
    private async ValueTask<string> TokenAsync(
        Tenant tenant, Client client, LogoutDue logout, CancellationToken stop)
    {
        var subject = await subjects.OfAsync(tenant.Id, client, logout.Subject, stop);
        var (now, id) = (clock.GetUtcNow(), Secret.New(random).Reveal());
        return await jwt.WriteAsync(
            tenant.Id,
            Type,
            client.OpenId.IdTokenAlgorithm,
            json =>
            {
                json.WriteString("iss"u8, tenant.Issuer);
                json.WriteString("aud"u8, client.Id.Value);
                json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
                json.WriteNumber("exp"u8, (now + Life).ToUnixTimeSeconds());
                json.WriteString("jti"u8, id);
                json.WriteString("sub"u8, subject);
                json.WriteString("sid"u8, logout.Sid);
                json.WriteStartObject("events"u8);
                json.WriteStartObject("http://schemas.openid.net/event/backchannel-logout"u8);
                json.WriteEndObject();
                json.WriteEndObject();
            },
            stop);
    }
}
