using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Postern.Tests.OAuth;

/// <summary>Registers clients as they register themselves (RFC 7591).</summary>
internal static class Registered
{
    public static async Task<App> Async(TestServer server, params string[] redirects)
    {
        var reply = await PostAsync(server, JsonSerializer.Serialize(new
        {
            client_name = "An app",
            redirect_uris = redirects,
            token_endpoint_auth_method = "none",
        }));
        return new(server, reply.Member("client_id") ?? throw new InvalidOperationException(reply.Text), redirects[0]);
    }

    public static Task<Reply> PostAsync(TestServer server, string json) =>
        PostAsync(server, Encoding.UTF8.GetBytes(json), "application/json");

    public static async Task<Reply> PostAsync(TestServer server, byte[] body, string? type)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        using var answer = await server.Http.PostAsync(new Uri("/register", UriKind.Relative), content);
        return await Reply.ReadAsync(answer);
    }
}
