using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Web;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using Postern.Bench.Load;

namespace Postern.Bench.Sides;

/// <summary>
/// A person with a browser who signs in once and then agrees as often as codes are wanted, on our pages and on the
/// peer's alike: forms are found and filled by what they say.
/// </summary>
internal sealed class Person : IDisposable
{
    private const string Callback = "http://127.0.0.1/callback";
    private const int MostSteps = 12;

    private readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly Cookies cookies = new();
    private readonly HtmlParser html = new();
    private readonly Uri authorize;
    private readonly string resource;
    private readonly int port;

    public Person(int port, string authorizePath)
    {
        var issuer = new Uri($"http://127.0.0.1:{port}");
        (this.port, authorize, resource) = (port, new(issuer, authorizePath), new Uri(issuer, "/mcp/echo").AbsoluteUri);
    }

    /// <summary>
    /// Requests to the token endpoint, each with a fresh code; one after another,
    /// since the peer renews its session each time.
    /// </summary>
    public async Task<ConcurrentQueue<byte[]>> AgreeAsync(int times, CancellationToken stop)
    {
        var requests = new ConcurrentQueue<byte[]>();
        for (var i = 0; i < times; i++)
        {
            requests.Enqueue(await AgreeAsync(stop));
        }

        return requests;
    }

    public void Dispose() => http.Dispose();

    private async Task<byte[]> AgreeAsync(CancellationToken stop)
    {
        var verifier = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        var code = await CodeAsync(
            $"?response_type=code&client_id=app&redirect_uri={Uri.EscapeDataString(Callback)}&prompt=consent"
            + $"&resource={Uri.EscapeDataString(resource)}&scope=mcp%3Aread%20offline_access"
            + $"&code_challenge={challenge}&code_challenge_method=S256&state=s",
            stop);
        return Script.Form(
            "/token", port,
            $"grant_type=authorization_code&client_id=app&code={code}&code_verifier={verifier}"
            + $"&redirect_uri={Uri.EscapeDataString(Callback)}");
    }

    private async Task<string> CodeAsync(string query, CancellationToken stop)
    {
        var (at, form) = (new Uri(authorize, query), (FormUrlEncodedContent?)null);
        for (var step = 0; step < MostSteps; step++)
        {
            var method = form is null ? HttpMethod.Get : HttpMethod.Post;
            using var request = new HttpRequestMessage(method, at) { Content = form };
            request.Headers.Add("Origin", authorize.GetLeftPart(UriPartial.Authority));
            request.Headers.TryAddWithoutValidation("Cookie", cookies.For(at.AbsolutePath));
            using var answer = await http.SendAsync(request, stop);
            cookies.Keep(answer.Headers.TryGetValues("Set-Cookie", out var set) ? set : []);
            if (answer.Headers.Location is { } location)
            {
                (at, form) = (new(at, location), null);
                if (at.AbsoluteUri.StartsWith(Callback, StringComparison.Ordinal))
                {
                    return HttpUtility.ParseQueryString(at.Query)["code"]
                        ?? throw new InvalidOperationException($"No code in {at}");
                }

                continue;
            }

            var page = await answer.Content.ReadAsStringAsync(stop);
            if (answer.StatusCode is not HttpStatusCode.OK)
            {
                throw new InvalidOperationException($"{at.AbsolutePath} answered {answer.StatusCode}: {TextOf(page)}");
            }

            form = new(Filled(page));
        }

        throw new InvalidOperationException($"No code after {MostSteps} steps; the last was {at}.");
    }

    private string TextOf(string page)
    {
        using var document = html.ParseDocument(page);
        return string.Join(' ', document.Body!.TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    private List<KeyValuePair<string, string>> Filled(string page)
    {
        using var document = html.ParseDocument(page);
        var form = document.Forms.First(form => form.Elements.OfType<IHtmlButtonElement>().Any(IsYes));
        var fields = form.Elements.OfType<IHtmlInputElement>()
            .Where(input => input.Name is { Length: > 0 })
            .Where(input => input.Type is not ("checkbox" or "radio") || input.IsChecked)
            .Select(input => KeyValuePair.Create(input.Name!, Answer(input)));
        var button = form.Elements.OfType<IHtmlButtonElement>().Last(IsYes);
        KeyValuePair<string, string>[] pressed =
            button.Name is { } name ? [KeyValuePair.Create(name, button.Value)] : [];
        return [.. fields, .. pressed];
    }

    private static bool IsYes(IHtmlButtonElement button) => button.TextContent.Trim() is "Allow" or "Sign in";

    private static string Answer(IHtmlInputElement input) => input.Type switch
    {
        "email" => Stage.Email,
        "password" => Stage.Password,
        _ => input.Value,
    };
}
