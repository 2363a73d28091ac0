using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Postern.Cli.Try;

/// <summary>Plain HTTP: bounded, and nothing is followed that a standard does not say to follow.</summary>
internal sealed class Wire : IDisposable
{
    private readonly HttpClient http;

    /// <param name="jar">Where cookies are kept; null to take none, as an agent does.</param>
    public Wire(CookieContainer? jar)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = jar is not null,
            UseProxy = false,
        };
        if (jar is not null)
        {
            handler.CookieContainer = jar;
        }

        http = new(handler)
        {
            Timeout = TimeSpan.FromSeconds(30),
            MaxResponseContentBufferSize = 4 * 1024 * 1024,
        };
    }

    public static ByteArrayContent Json(JsonObject body) =>
        new(Encoding.UTF8.GetBytes(body.ToJsonString())) { Headers = { ContentType = new("application/json") } };

    public Task<Reply> GetAsync(Uri address, CancellationToken stop) =>
        SendAsync(new(HttpMethod.Get, address), [], stop);

    public Task<Reply> PostAsync(
        Uri address, HttpContent body, CancellationToken stop, Dictionary<string, string?>? headers = null) =>
        SendAsync(new(HttpMethod.Post, address) { Content = body }, headers ?? [], stop);

    public void Dispose() => http.Dispose();

    private async Task<Reply> SendAsync(
        HttpRequestMessage request, Dictionary<string, string?> headers, CancellationToken stop)
    {
        using (request)
        {
            foreach (var (name, value) in headers.Where(header => header.Value is not null))
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            using var answer = await http.SendAsync(request, stop);
            return new(
                request.RequestUri!,
                (int)answer.StatusCode,
                answer.Content.Headers.ContentType?.MediaType ?? "",
                await answer.Content.ReadAsStringAsync(stop),
                answer.Headers.Location,
                string.Join(", ", answer.Headers.WwwAuthenticate.Select(challenge => challenge.ToString())));
        }
    }
}

/// <summary>What came back.</summary>
internal sealed record Reply(Uri From, int Status, string MediaType, string Body, Uri? Location, string Challenge)
{
    private const string EventStream = "text/event-stream", Data = "data:";

    public JsonNode Json =>
        JsonNode.Parse(MediaType is EventStream ? LastEvent() : Body) ?? throw Refuse("JSON was expected");

    /// <summary>
    /// Which answer it was, by status and by the words meant to be read; a body that may hold a token is not shown.
    /// </summary>
    public RefusalException Refuse(string expected) =>
        new($"{From.AbsolutePath} answered {Status} {(HttpStatusCode)Status}, {expected}. {Words()}".TrimEnd());

    private string? Words()
    {
        try
        {
            return MediaType.EndsWith("json", StringComparison.Ordinal) && JsonNode.Parse(Body) is JsonObject problem
                ? (string?)(problem["error_description"] ?? problem["detail"] ?? problem["error"]?["message"])
                : null;
        }
        catch (Exception other) when (other is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    // The answer to a request is the last message of its stream.
    private string LastEvent() => string.Concat(Body
        .ReplaceLineEndings("\n").TrimEnd('\n').Split("\n\n")[^1].Split('\n')
        .Where(line => line.StartsWith(Data, StringComparison.Ordinal)).Select(line => line[Data.Length..]));
}
