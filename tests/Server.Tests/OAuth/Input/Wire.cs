using System.Text;
using System.Text.RegularExpressions;

namespace Postern.Tests.OAuth.Input;

/// <summary>Sends the parameters of an <see cref="Attempt"/> as they are, wrong or not.</summary>
internal sealed partial class Wire(HttpClient http) : IDisposable
{
    public static Wire To(Uri address) => new(new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
    })
    {
        BaseAddress = address,
    });

    /// <summary>Parameters in braces go into the path, headers into the head, the others into the body.</summary>
    /// <param name="method">The verb.</param>
    /// <param name="path">The address, with parts in braces.</param>
    /// <param name="fields">The parameters.</param>
    /// <param name="bodyOf">Makes the body; null to put the others into the query.</param>
    public async Task<Reply> SendAsync(
        HttpMethod method,
        string path,
        (string Name, string? Value)[] fields,
        Func<(string Name, string? Value)[], HttpContent>? bodyOf)
    {
        var rest = fields.Where(field => char.IsAsciiLetterLower(field.Name[0])).ToArray();
        var address = Place(path, fields);
        using var request = new HttpRequestMessage(
            method, new Uri(bodyOf is null ? $"{address}?{Encode(rest)}" : address, UriKind.Relative));
        request.Content = bodyOf?.Invoke(rest);
        foreach (var (name, value) in fields.Where(field => char.IsAsciiLetterUpper(field.Name[0])))
        {
            request.Headers.TryAddWithoutValidation(
                name, value?.Replace(Attempt.NoText, "\u00ff\u00fe", StringComparison.Ordinal));
        }

        // A stream has no end to wait for.
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.Content.Headers.ContentType?.MediaType is "text/event-stream"
            ? new(answer.StatusCode, "", default, answer.Headers)
            : await Reply.ReadAsync(answer);
    }

    /// <summary>Knocks at an MCP server.</summary>
    public Task<Reply> CallAsync(string path, (string Name, string? Value)[] fields) => SendAsync(
        HttpMethod.Post,
        path,
        [.. fields, ("Accept", "application/json, text/event-stream")],
        _ => new StringContent("""{"jsonrpc":"2.0","id":1,"method":"ping"}""", Encoding.UTF8, "application/json"));

    public static HttpContent Form((string Name, string? Value)[] fields) =>
        new StringContent(Encode(fields), Encoding.UTF8, "application/x-www-form-urlencoded");

    public static HttpContent Json((string Name, string? Value)[] members)
    {
        var content = new ByteArrayContent(JsonText.Of(members));
        content.Headers.ContentType = new("application/json");
        return content;
    }

    public static string Encode((string Name, string? Value)[] fields) => Raw(App.Encode(fields));

    public static string Escape(string value) => Raw(Uri.EscapeDataString(value));

    public void Dispose() => http.Dispose();

    /// <summary>An address with its parts in braces filled in; one that is sent twice stands there twice.</summary>
    public static string Place(string path, (string Name, string? Value)[] fields)
    {
        path = fields.Where(field => field.Name[0] is '{')
            .GroupBy(field => field.Name, field => Uri.EscapeDataString(field.Value ?? ""))
            .Aggregate(path, (text, part) => text.Replace(part.Key, string.Join('/', part), StringComparison.Ordinal));
        return Raw(Part().Replace(path, ""));
    }

    private static string Raw(string text) =>
        text.Replace(Uri.EscapeDataString(Attempt.NoText), "%FF%FE", StringComparison.Ordinal);

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Part();
}
