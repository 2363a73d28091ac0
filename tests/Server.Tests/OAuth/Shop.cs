using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Postern.AspNetCore;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Revocations;

namespace Postern.Tests.OAuth;

/// <summary>An application of somebody else's, which takes tokens for a resource.</summary>
internal sealed class Shop(WebApplication app) : IAsyncDisposable
{
    private readonly HttpClient http = new() { BaseAddress = new(app.Urls.Single()) };

    public static async Task<Shop> OpenAsync(TestServer server, LateRevocations late, string resource = "echo")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(server.Log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(server.Clock);
        builder.Services.AddPostern(options =>
        {
            options.Issuer = server.Issuer;
            options.Resource = $"{server.Issuer}/mcp/{resource}";
            options.AllowInsecureHttpForTests = true;
            options.ClientId = "watch";
            options.ClientSecret = App.WatchSecret;
            options.FollowRevocations = true;
            options.WhenRevocationsAreLate = late;
        });
        var app = builder.Build();
        app.MapGet("/", (AccessToken token) => token.Subject).RequireScope("mcp:read");
        await app.StartAsync();
        return new(app);
    }

    public async Task<HttpStatusCode> AskAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await app.DisposeAsync();
    }
}
