using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace Postern.Tests.Identity;

/// <summary>A browser without a screen: it keeps cookies, fills forms, follows nothing by itself.</summary>
internal sealed class Visitor : IDisposable
{
    private const string Chrome =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

    private readonly HttpClient http;

    /// <param name="address">The server.</param>
    /// <param name="from">The loopback address to come from: another one is another network.</param>
    public Visitor(Uri address, string from = "127.0.0.1")
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            CookieContainer = Cookies,
            ConnectCallback = async (context, stop) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        http = new(handler) { BaseAddress = address };
        http.DefaultRequestHeaders.UserAgent.ParseAdd(Chrome);
    }

    public CookieContainer Cookies { get; } = new();

    /// <summary>What the browser says of where a form was sent from; null to say nothing.</summary>
    public string? Origin { get; set; } = "own";

    public string? Cookie(string name) => Cookies.GetCookies(http.BaseAddress!)[name]?.Value;

    public void SetCookie(string name, string value) =>
        Cookies.SetCookies(http.BaseAddress!, $"{name}={value}; path=/");

    public Task<HttpResponseMessage> GetAsync(string path) => http.GetAsync(new Uri(path, UriKind.Relative));

    public async Task<IHtmlDocument> PageAsync(string path)
    {
        using var answer = await GetAsync(path);
        return await ReadAsync(answer);
    }

    public static async Task<IHtmlDocument> ReadAsync(HttpResponseMessage answer) =>
        new HtmlParser().ParseDocument(await answer.Content.ReadAsStringAsync());

    /// <summary>Sends a form as it stands on the page, with some of its fields filled in.</summary>
    public Task<HttpResponseMessage> SubmitAsync(
        IHtmlFormElement form, string path, params (string Name, string Value)[] filled) =>
        SubmitAsync(form, path, isChunked: false, filled);

    /// <summary>The same, perhaps in pieces whose sum nobody announces.</summary>
    public Task<HttpResponseMessage> SubmitAsync(
        IHtmlFormElement form, string path, bool isChunked, (string Name, string Value)[] filled)
    {
        var fields = form.QuerySelectorAll("input")
            .OfType<IHtmlInputElement>()
            .Where(input => input.Name is not null && filled.All(field => field.Name != input.Name))
            .Select(input => KeyValuePair.Create(input.Name!, input.Value))
            .Concat(filled.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        return PostAsync(form.GetAttribute("action") ?? path, new FormUrlEncodedContent(fields), isChunked);
    }

    public async Task<HttpResponseMessage> SignInAsync(string email, string password, string path = "/signin")
    {
        var page = await PageAsync(path);
        return await SubmitAsync(page.Forms["signin"]!, path, ("email", email), ("password", password));
    }

    /// <summary>Sends a body that was sent before.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, string body, string? charset = null) => PostAsync(
        path, new StringContent(body, new MediaTypeHeaderValue("application/x-www-form-urlencoded", charset)));

    private async Task<HttpResponseMessage> PostAsync(string path, HttpContent content, bool isChunked = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative))
        {
            Content = content,
        };
        request.Headers.TransferEncodingChunked = isChunked ? true : null;
        if (Origin is not null)
        {
            var own = http.BaseAddress!.GetLeftPart(UriPartial.Authority);
            request.Headers.Add("Origin", Origin is "own" ? own : Origin);
        }

        return await http.SendAsync(request);
    }

    public void Dispose() => http.Dispose();
}
