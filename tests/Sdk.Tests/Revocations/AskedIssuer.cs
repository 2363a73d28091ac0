using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Postern.AspNetCore.Revocations;

namespace Postern.AspNetCore.Tests.Revocations;

/// <summary>An issuer on a loopback port that is asked about tokens, and counts the questions.</summary>
internal sealed class AskedIssuer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly Issuer issuer;
    private int questions;

    private AskedIssuer(Issuer issuer)
    {
        this.issuer = issuer;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.MapGet("/.well-known/oauth-authorization-server", () => new JsonObject
        {
            ["issuer"] = Url,
            ["introspection_endpoint"] = $"{Url}/introspect",
        }.ToJsonString());
        app.MapPost("/introspect", AnswerAsync);
    }

    public string Url => app.Urls.Single();

    /// <summary>How many questions came.</summary>
    public int Questions => Volatile.Read(ref questions);

    /// <summary>No question is answered before this is.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Which tokens stand, and whether they tell their grant.</summary>
    public HashSet<string> Standing { get; } = [];

    public bool TellsGrants { get; set; } = true;

    public static async Task<AskedIssuer> StartAsync(Issuer issuer)
    {
        var asked = new AskedIssuer(issuer);
        await asked.app.StartAsync();
        return asked;
    }

    /// <summary>Who asks it, as an application does.</summary>
    public IssuerQuestions Asker(HttpClient http, Action<PosternOptions>? configure = null)
    {
        var options = new PosternOptions
        {
            Issuer = Url,
            Resource = Issuer.Resource,
            AllowInsecureHttpForTests = true,
            ClientId = "api",
            ClientSecret = "secret",
        };
        configure?.Invoke(options);
        return new(options, () => http, issuer.Clock);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        Interlocked.Increment(ref questions);
        var token = (await http.Request.ReadFormAsync())["token"].ToString();
        await Gate;
        var claims = issuer.Claims;
        claims["iss"] = Url;
        claims["jti"] = token;
        claims["active"] = Standing.Contains(token);
        if (!TellsGrants)
        {
            claims.Remove("grant_id");
        }

        await http.Response.WriteAsync(
            Standing.Contains(token) ? claims.ToJsonString() : """{"active":false}""");
    }
}
