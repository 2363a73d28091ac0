using System.Net;
using System.Web;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace Postern.Tests;

/// <summary>A person at a browser: keeps cookies, signs in when asked, reads the question, ticks and answers.</summary>
internal sealed class Person : IDisposable
{
    public const string Ada = "ada@example.test", AdasPassword = "correct-horse-battery-staple";
    public const string Bob = "bob@example.test", BobsPassword = "staple-battery-horse-correct";

    private const string Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

    private readonly string issuer;
    private readonly HttpClient http;
    private (string Email, string Password) account;

    /// <param name="server">Where they go.</param>
    /// <param name="email">The account.</param>
    /// <param name="password">Another one than theirs.</param>
    /// <param name="browser">What it calls itself.</param>
    public Person(TestServer server, string email = Ada, string? password = null, string browser = Firefox)
        : this(server.Issuer, server.Http.BaseAddress!, email, browser: browser)
    {
        account.Password = password ?? account.Password;
    }

    /// <param name="issuer">What the server calls itself.</param>
    /// <param name="address">Where it is reached; one node of several.</param>
    /// <param name="email">The account.</param>
    /// <param name="like">Goes on in the browser of this person.</param>
    /// <param name="browser">What it calls itself.</param>
    public Person(string issuer, Uri address, string email = Ada, Person? like = null, string browser = Firefox)
    {
        (this.issuer, account) = (issuer, email is Bob ? (Bob, BobsPassword) : (email, AdasPassword));
        Cookies = like?.Cookies ?? new();
        http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, CookieContainer = Cookies })
        {
            BaseAddress = address,
        };
        http.DefaultRequestHeaders.Host = new Uri(issuer).Authority;
        http.DefaultRequestHeaders.UserAgent.ParseAdd(browser);
    }

    public CookieContainer Cookies { get; }

    public string? Cookie(string name) => Cookies.GetCookies(http.BaseAddress!)[name]?.Value;

    public Task<HttpResponseMessage> GetAsync(string path) => http.GetAsync(At(path));

    /// <summary>
    /// Goes where the server sends the browser, signing in on the way, until it shows a page or leads elsewhere.
    /// </summary>
    public async Task<Stop> OpenAsync(string address)
    {
        for (var hops = 0; hops < 8; hops++)
        {
            using var answer = await http.GetAsync(At(address));
            if (answer.Headers.Location is { } next)
            {
                if (!IsOurs(next))
                {
                    return new(answer.StatusCode, address, null, next);
                }

                address = next.OriginalString;
                continue;
            }

            var page = Parse(await answer.Content.ReadAsStringAsync());
            if (page.Forms["signin"] is not { } form)
            {
                return new(answer.StatusCode, address, page, null);
            }

            address = await SignInAsync(form, address);
        }

        throw new InvalidOperationException($"The browser is sent in circles, now at {address}.");
    }

    public async Task SignInAsync() => await OpenAsync("/signin");

    /// <summary>Opens a request up to the question.</summary>
    public async Task<Question> AskedAsync(string address)
    {
        var stop = await OpenAsync(address);
        return stop.Page?.QuerySelector("form.consent") is IHtmlFormElement form
            ? new(stop.Address, stop.Page, form)
            : throw new InvalidOperationException(
                $"No question but {stop.Status}: {stop.Page?.Body?.TextContent ?? stop.Left?.ToString()}");
    }

    /// <summary>Answers and follows the browser until it leaves.</summary>
    public async Task<Stop> AnswerAsync(
        Question question, string decision, Action<Dictionary<string, List<string>>>? change = null)
    {
        using var answer = await PostAsync(question, decision, change);
        return answer.Headers.Location is { } next
            ? await OpenAsync(next.OriginalString)
            : new(answer.StatusCode, question.Address, Parse(await answer.Content.ReadAsStringAsync()), null);
    }

    /// <summary>Sends the form once, as it stands but for what a test changes.</summary>
    public async Task<HttpResponseMessage> PostAsync(
        Question question,
        string decision,
        Action<Dictionary<string, List<string>>>? change = null,
        string? origin = "own")
    {
        var fields = question.Fields();
        fields["decision"] = [decision];
        change?.Invoke(fields);
        return await SendAsync(question.Address, fields, origin);
    }

    /// <summary>Sends a form with these fields, as a page of this origin would.</summary>
    public Task<HttpResponseMessage> SendAsync(
        string address, Dictionary<string, List<string>> fields, string? origin = "own") => SendBodyAsync(
            address,
            new FormUrlEncodedContent(
                fields.SelectMany(field => field.Value.Select(value => KeyValuePair.Create(field.Key, value)))),
            origin);

    /// <summary>Sends this as a page of this origin would.</summary>
    public async Task<HttpResponseMessage> SendBodyAsync(string address, HttpContent content, string? origin = "own")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, At(address)) { Content = content };
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin is "own" ? issuer : origin);
        }

        return await http.SendAsync(request);
    }

    /// <summary>
    /// Says yes to a request, with what the page has ticked or with these tools alone; answers where the browser
    /// goes.
    /// </summary>
    public async Task<Answer> AllowAsync(string address, params string[] ticks)
    {
        var question = await AskedAsync(address);
        var stop = await AnswerAsync(question, "allow", fields =>
        {
            if (ticks.Length > 0)
            {
                fields["tool"] = [.. ticks];
            }
        });
        return new(stop.Left ?? throw new InvalidOperationException($"{stop.Status}: {stop.Page?.Body?.TextContent}"));
    }

    /// <summary>Says yes if there is a question; there is none where a yes of before stands.</summary>
    public async Task<Answer> LetInAsync(string address)
    {
        var stop = await OpenAsync(address);
        return stop.Left is { } left ? new(left) : await AllowAsync(stop.Address);
    }

    public async Task<Answer> DenyAsync(string address) =>
        new((await AnswerAsync(await AskedAsync(address), "deny")).Left!);

    public void Dispose() => http.Dispose();

    private async Task<string> SignInAsync(IHtmlFormElement form, string address)
    {
        var fields = form.QuerySelectorAll("input").OfType<IHtmlInputElement>()
            .Where(input => input.Name is not (null or "email" or "password"))
            .Select(input => KeyValuePair.Create(input.Name!, input.Value))
            .Append(KeyValuePair.Create("email", account.Email))
            .Append(KeyValuePair.Create("password", account.Password));
        using var request = new HttpRequestMessage(HttpMethod.Post, At(form.GetAttribute("action") ?? address));
        request.Content = new FormUrlEncodedContent(fields);
        request.Headers.Add("Origin", issuer);
        using var answer = await http.SendAsync(request);
        return answer.Headers.Location?.OriginalString
            ?? throw new InvalidOperationException($"Not signed in: {answer.StatusCode}.");
    }

    private bool IsOurs(Uri next) =>
        !next.IsAbsoluteUri || next.OriginalString.StartsWith(issuer + "/", StringComparison.Ordinal);

    private Uri At(string address) => new(
        http.BaseAddress!,
        address.StartsWith(issuer, StringComparison.Ordinal) ? address[issuer.Length..] : address);

    private static IHtmlDocument Parse(string html) => new HtmlParser().ParseDocument(html);
}

/// <summary>Where a browser stands: on a page of the server, or sent away to an address of somebody else's.</summary>
internal sealed record Stop(HttpStatusCode Status, string Address, IHtmlDocument? Page, Uri? Left);

/// <summary>The consent page as a person sees it.</summary>
internal sealed record Question(string Address, IHtmlDocument Page, IHtmlFormElement Form)
{
    public IReadOnlyList<(string Name, bool IsOn)> Tools =>
        [.. Form.QuerySelectorAll("input[name=tool]")
            .OfType<IHtmlInputElement>()
            .Select(box => (box.Value, box.IsChecked))];

    /// <summary>The form by which somebody else takes the question over: where it leads, and what it sends.</summary>
    public (string Address, Dictionary<string, List<string>> Fields) NotYou()
    {
        var button = Page.QuerySelectorAll("button").Single(button => button.TextContent is "Not you?");
        var form = ((IHtmlButtonElement)button).Form!;
        return (form.GetAttribute("action")!, FieldsOf(form));
    }

    public Dictionary<string, List<string>> Fields() => FieldsOf(Form);

    private static Dictionary<string, List<string>> FieldsOf(IHtmlFormElement form) =>
        form.QuerySelectorAll("input").OfType<IHtmlInputElement>()
        .Where(input => input.Name is not null && (input.Type is not ("checkbox" or "radio") || input.IsChecked))
        .GroupBy(input => input.Name!)
        .ToDictionary(group => group.Key, group => group.Select(input => input.Value).ToList(), StringComparer.Ordinal);
}

/// <summary>What the browser brings to the client: the parameters of the redirect.</summary>
internal sealed record Answer(Uri Address)
{
    private readonly System.Collections.Specialized.NameValueCollection query = HttpUtility.ParseQueryString(
        Address.Query);

    public string Code => query["code"] ?? throw new InvalidOperationException($"No code: {Address}");

    public string? this[string name] => query[name];

    public string[] All(string name) => query.GetValues(name) ?? [];
}
