using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Postern.Cli;

/// <summary>
/// The admin API of one server, or of a tenant of it. Whatever goes wrong becomes one sentence that says what to do.
/// </summary>
internal sealed class AdminApi : IDisposable
{
    private const int MostBytes = 32 * 1024 * 1024, MostWords = 300;

    private readonly string server, tenant;
    private readonly HttpClient http;

    /// <param name="server">Its origin.</param>
    /// <param name="token">The administrator's token.</param>
    /// <param name="tenant">The path below which the API of a tenant lies.</param>
    public AdminApi(string server, string token, string tenant = "")
    {
        var address = new Uri(server);
        if (address.Scheme is not "https" && !address.IsLoopback)
        {
            throw new RefusalException($"{server} is not encrypted: others could read the token. Use https.");
        }

        (this.server, this.tenant) = (server, tenant);
        // A proxy on the way to this machine would be given the token.
        http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !address.IsLoopback,
        })
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromSeconds(30),
            MaxResponseContentBufferSize = MostBytes,
        };
        try
        {
            http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        }
        catch (FormatException)
        {
            throw new RefusalException("That is no token. It is the line in admin.token in the server's data folder.");
        }
    }

    public Task<string> GetAsync(string path, CancellationToken stop) => SendAsync(HttpMethod.Get, path, null, stop);

    public Task<string> PostAsync(string path, CancellationToken stop) =>
        SendAsync(HttpMethod.Post, path, null, stop);

    public Task<string> DeleteAsync(string path, CancellationToken stop) =>
        SendAsync(HttpMethod.Delete, path, null, stop);

    public Task<string> PostAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken stop) =>
        SendAsync(HttpMethod.Post, path, Content(body, type), stop);

    public Task<string> PutAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken stop) =>
        SendAsync(HttpMethod.Put, path, Content(body, type), stop);

    /// <summary>An answer for people.</summary>
    public T Read<T>(string json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw NotPostern();
        }
        catch (JsonException)
        {
            throw NotPostern();
        }
    }

    public void Dispose() => http.Dispose();

    private static ByteArrayContent Content<T>(T body, JsonTypeInfo<T> type) =>
        new(JsonSerializer.SerializeToUtf8Bytes(body, type))
        {
            Headers = { ContentType = new("application/json") },
        };

    private async Task<string> SendAsync(HttpMethod method, string path, HttpContent? body, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, tenant + path) { Content = body };
        try
        {
            using var answer = await http.SendAsync(request, stop);
            var text = await answer.Content.ReadAsStringAsync(stop);
            return answer.StatusCode switch
            {
                HttpStatusCode.NoContent => text,
                HttpStatusCode.OK or HttpStatusCode.Created when IsJson(answer.Content.Headers.ContentType) => text,
                HttpStatusCode.Unauthorized => throw new RefusalException(
                    $"{server} does not take this token. Run postern login --server {server} where its data folder "
                        + "is, or with --token."),
                _ => throw (Words(answer, text) is { } words ? new RefusalException(words) : NotPostern()),
            };
        }
        catch (HttpRequestException failure)
        {
            throw new RefusalException(
                $"Nothing answers at {server} ({failure.HttpRequestError}). Start it with postern serve, or name "
                    + "another with --server.");
        }
        catch (TaskCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new RefusalException($"{server} does not answer ({http.Timeout.TotalSeconds} s). Look at its log.");
        }
    }

    // Problems (RFC 9457), the errors of the authorization server, or the line that names the right address.
    private string? Words(HttpResponseMessage answer, string text)
    {
        if (IsJson(answer.Content.Headers.ContentType))
        {
            var problem = Read(text, CliJson.Default.ProblemAnswer);
            return problem.Detail ?? problem.ErrorDescription;
        }

        return answer.StatusCode is HttpStatusCode.MisdirectedRequest && text.Length <= MostWords ? text.Trim() : null;
    }

    private static bool IsJson(MediaTypeHeaderValue? type) =>
        type?.MediaType is "application/json" or "application/problem+json";

    private RefusalException NotPostern() =>
        new($"{server} does not answer like a Postern server. Check the address, and that both are of one version.");
}
