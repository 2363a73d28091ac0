using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Postern.AspNetCore.AccessTokens;

namespace Postern.AspNetCore.Tests;

public sealed class ReadmeTests
{
    [Fact]
    public async Task The_sample_of_the_README_protects_its_endpoints()
    {
        await using var app = Build(["--Logging:LogLevel:Default=None"]);
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new(app.Urls.Single()) };

        using var notes = await client.GetAsync("/notes");
        using var metadata = await client.GetAsync("/.well-known/oauth-protected-resource/notes");

        Assert.Equal(HttpStatusCode.Unauthorized, notes.StatusCode);
        Assert.Equal(HttpStatusCode.OK, metadata.StatusCode);
    }

    [Fact]
    public void The_sample_of_the_README_is_this_one()
    {
        var sample = File.ReadAllText(Here()).Split("    // README\n")[1].Replace("\n        ", "\n");

        Assert.Contains($"```csharp\n{sample.Trim()}\n```\n", File.ReadAllText(Here("../../src/Sdk/README.md")));
    }

    private static string Here(string name = "", [CallerFilePath] string test = "") =>
        name is "" ? test : Path.Combine(Path.GetDirectoryName(test)!, name);

    private static WebApplication Build(string[] args)
    {
        // README
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddPostern(options =>
        {
            options.Issuer = "https://postern.example.com";
            options.Resource = "https://api.example.com/notes";
            options.Scopes.Add("notes:read");
        });

        var app = builder.Build();
        app.MapResourceMetadata();
        app.MapGet("/notes", (AccessToken token) => $"Notes of {token.Subject}").RequireScope("notes:read");
        app.MapPost("/notes", (AccessToken token) => $"Written by {token.ClientId}").RequireScope("notes:write");
        // README
        return app;
    }
}
