using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>Reads the stream as a resource server does.</summary>
internal sealed class FeedReader(HttpResponseMessage answer, StreamReader lines) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public List<string> Heard { get; } = [];

    public string? LastId { get; private set; }

    public static async Task<FeedReader> OpenAsync(
        TestServer server, string? since = null, string secret = App.WatchSecret)
    {
        var answer = await AskAsync(
            server, App.Basic("watch", secret), $"{server.Issuer}/mcp/echo", since);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
        return new(answer, new(await answer.Content.ReadAsStreamAsync()));
    }

    public static async Task<HttpResponseMessage> AskAsync(
        TestServer server, string? authorization, string? resource, string? since)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            new Uri("/revocations" + (resource is null ? "" : $"?resource={resource}"), UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        request.Headers.TryAddWithoutValidation("Last-Event-ID", since);
        return await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>The kind of the next event.</summary>
    public async Task<string> NextAsync()
    {
        while (true)
        {
            var line = await LineAsync();
            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                return line[7..];
            }
        }
    }

    /// <summary>What the next event of this kind names.</summary>
    public async Task<string> UntilAsync(string what)
    {
        for (var beats = 0; await NextAsync() is var heard && heard != what;)
        {
            beats += heard is "beat" ? 1 : 0;
            Assert.True(beats < 12, $"No {what} within a minute.");
        }

        var line = await LineAsync();
        if (line.StartsWith("id: ", StringComparison.Ordinal))
        {
            LastId = line[4..];
            line = await LineAsync();
        }

        return line.Length > 6 ? line[6..] : "";
    }

    public void Dispose()
    {
        lines.Dispose();
        answer.Dispose();
    }

    private async Task<string> LineAsync()
    {
        var line = await lines.ReadLineAsync().WaitAsync(Patience) ?? throw new EndOfStreamException();
        Heard.Add(line);
        return line;
    }
}
