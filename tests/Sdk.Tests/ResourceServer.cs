using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Tests;

/// <summary>A small API on a loopback port, protected by the SDK alone.</summary>
internal sealed class ResourceServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private ResourceServer(Issuer issuer, Action<PosternOptions>? configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestHeadersTotalSize = 128 * 1024);
        builder.Services.AddSingleton<TimeProvider>(issuer.Clock);
        builder.Services.AddPostern(options =>
        {
            options.Issuer = Issuer.Name;
            options.Resource = Issuer.Resource;
            options.Scopes.Add("notes:read");
            options.ResourceName = "Notes";
            options.Keys = new LocalKeys(issuer.Keys);
            configure?.Invoke(options);
        });

        app = builder.Build();
        app.MapResourceMetadata();
        app.MapGet("/notes", (AccessToken token) => token.Subject).RequireScope("notes:read");
        app.MapPost("/notes", (AccessToken token) => token.Subject).RequireScope("notes:write");
        app.MapDelete("/notes", http => Task.CompletedTask).RequireScope("notes:read", "notes:destroy");
        var group = app.MapGroup("/admin").RequireScope("admin");
        group.MapGet("/", http => Task.CompletedTask).RequireScope("notes:read");
        var safe = app.MapGroup("/safe").RequireSignIn(TimeSpan.FromMinutes(5));
        safe.MapGet("/open", http => Task.CompletedTask).RequireSignIn(null, "phr", "phrh").RequireScope("notes:read");
        safe.MapGet("/look", http => Task.CompletedTask);
        app.MapGet("/undeclared", http => Task.CompletedTask);
        app.MapGet("/whoami", (ClaimsPrincipal user) => user.Claims.Select(claim => $"{claim.Type}={claim.Value}"));
    }

    public HttpClient Client { get; } = new();

    public static async Task<ResourceServer> StartAsync(Issuer issuer, Action<PosternOptions>? configure = null)
    {
        var server = new ResourceServer(issuer, configure);
        await server.app.StartAsync();
        server.Client.BaseAddress = new(server.app.Urls.Single());
        return server;
    }

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? authorization = null, HttpContent? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        return await Client.SendAsync(request);
    }

    public Task<HttpResponseMessage> GetAsync(string path, string? token = null) =>
        SendAsync(HttpMethod.Get, path, token is null ? null : $"Bearer {token}");

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.DisposeAsync();
    }
}
