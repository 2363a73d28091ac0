using System.Buffers;
using System.Text.Json;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Challenges;
using Postern.Grants;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;
using Postern.Platform.Http;
using Postern.Platform.Keys;
using Postern.Platform.Tenants;

namespace Postern.OAuth.UserInfo;

/// <summary>
/// OpenID Connect Core §5.3: tells a client what the person agreed to tell it, and nothing else. Only a token made for
/// this place is good here; one for an MCP server is not.
/// </summary>
internal sealed class UserInfoEndpoint(
    OwnTokens tokens, ClientBook clients, Subjects subjects, PersonClaims persons, JwtWriter jwt, GrantBook grants)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/userinfo", Handle).For(Door.Token).AnyOrigin().AtBoth();
        routes.MapPost("/userinfo", Handle).For(Door.Token).AnyOrigin().AtBoth();
    }

    private static Task<IResult> Handle(HttpContext http, UserInfoEndpoint info) => info.TellAsync(http);

    private async Task<IResult> TellAsync(HttpContext http)
    {
        // A bound token comes with its proof, here as everywhere (RFC 9449 §7).
        var outcome = await tokens.JudgeAsync(
            http, http.Tenant, http.Tenant.UserInfo, http.Asked("/userinfo"), requiresDpop: false);
        return outcome is AccessToken token
            ? await TellAsync(http, token)
            : new Challenged(BearerChallenge.For(outcome as TokenRefusal, "", Scopes.OpenId));
    }

    private async Task<IResult> TellAsync(HttpContext http, AccessToken token)
    {
        // §5.3.1: a token that was narrowed by a refresh may have lost it.
        if (!token.HasScope(Scopes.OpenId))
        {
            return new Challenged(BearerChallenge.InsufficientScope(Scopes.OpenId, ""));
        }

        var stop = http.RequestAborted;
        if (await tokens.GrantAsync(http.Tenant.Id, token, stop) is not { } grant
            || await persons.FindAsync(grant, stop) is not { } user
            || (await clients.FindKnownAsync(http.Tenant.Id, token.ClientId, SourceNetwork.Of(http), stop))
                .Failed(out _, out var client))
        {
            // The account or the client went.
            return new Challenged(BearerChallenge.For(null, "", Scopes.OpenId));
        }

        grants.NoteUse(grant);
        var subject = await subjects.OfAsync(grant.Tenant, client, grant.Subject, stop);
        var told = PersonClaims.Of(Scopes.Of(token.Scopes)).Concat(grant.Claims?.UserInfo ?? []).ToList();
        return client.OpenId.UserInfoAlgorithm is { } algorithm
            ? await SignedAsync(http.Tenant, client, algorithm, json => Claims(json, subject, user, told), stop)
            : Answer("application/json", Plain(json => Claims(json, subject, user, told)));
    }

    private static void Claims(Utf8JsonWriter json, string subject, User user, IEnumerable<string> told)
    {
        json.WriteString("sub"u8, subject);
        PersonClaims.Write(json, user, told);
    }

    // §5.3.2: signed, it says by whom and for whom. Without typ, so that it passes for no ID token.
    private async Task<IResult> SignedAsync(
        Tenant tenant, Client client, string algorithm, Action<Utf8JsonWriter> claims, CancellationToken stop)
    {
        var signed = await jwt.WriteAsync(
            tenant.Id,
            null,
            algorithm,
            json =>
            {
                json.WriteString("iss"u8, tenant.Issuer);
                json.WriteString("aud"u8, client.Id.Value);
                claims(json);
            },
            stop);
        return Answer("application/jwt", System.Text.Encoding.ASCII.GetBytes(signed));
    }

    private static byte[] Plain(Action<Utf8JsonWriter> claims)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            claims(json);
            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    private static Told Answer(string type, byte[] body) => new(type, body);

    private sealed class Told(string type, byte[] body) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.ContentType = type;
            httpContext.Response.ContentLength = body.Length;
            httpContext.Response.Headers.CacheControl = "no-store";
            await httpContext.Response.Body.WriteAsync(body, httpContext.RequestAborted);
        }
    }

    private sealed class Challenged(BearerChallenge challenge) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            challenge.WriteTo(httpContext.Response);
            return Task.CompletedTask;
        }
    }
}
