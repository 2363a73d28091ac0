using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Postern.AspNetCore.Tests;

/// <summary>
/// Documents of an authorization server on a loopback port; a test changes them and counts who reads them.
/// </summary>
internal sealed class IssuerServer : IAsyncDisposable
{
    private const string MetadataPath = "/.well-known/oauth-authorization-server";

    private readonly WebApplication app;
    private int reads;

    private IssuerServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.Run(AnswerAsync);
    }

    public string Url => app.Urls.Single();

    public ConcurrentDictionary<string, string> Documents { get; } = new();

    public bool IsAway { get; set; }

    /// <summary>How often the keys were read.</summary>
    public int Reads => Volatile.Read(ref reads);

    public static async Task<IssuerServer> StartAsync(ECDsa key, string kid)
    {
        var server = new IssuerServer();
        await server.app.StartAsync();
        server.Documents[MetadataPath] = server.Metadata(server.Url);
        server.Publish((kid, key));
        return server;
    }

    public void Publish(params IEnumerable<(string Id, ECDsa Key)> keys) => Documents["/jwks"] = new JsonObject
    {
        ["keys"] = new JsonArray([.. keys.Select(key => Jwk(key.Id, key.Key))]),
    }.ToJsonString();

    /// <summary>Moves the metadata, which then speaks for another issuer.</summary>
    public void Move(string path, string issuer)
    {
        Documents.TryRemove(MetadataPath, out _);
        Documents[path] = Metadata(issuer);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    public static JsonNode Jwk(string id, ECDsa key)
    {
        var point = key.ExportParameters(false).Q;
        return new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["use"] = "sig",
            ["kid"] = id,
            ["x"] = Base64Url.EncodeToString(point.X),
            ["y"] = Base64Url.EncodeToString(point.Y),
        };
    }

    private string Metadata(string issuer) =>
        new JsonObject { ["issuer"] = issuer, ["jwks_uri"] = $"{Url}/jwks" }.ToJsonString();

    private Task AnswerAsync(HttpContext http)
    {
        if (http.Request.Path == "/jwks")
        {
            Interlocked.Increment(ref reads);
        }

        if (!IsAway && Documents.TryGetValue(http.Request.Path.Value!, out var document))
        {
            return http.Response.WriteAsync(document);
        }

        http.Response.StatusCode = IsAway ? 503 : 404;
        return Task.CompletedTask;
    }
}
