using System.Net;
using System.Text;
using Postern.Tests.Tenants;

namespace Postern.Tests.OAuth.Input;

/// <summary>The town of the walk with a tenant beside it, and how requests are sent there.</summary>
public sealed class InputTown : WalkTown
{
    /// <summary>A platform that vouches for what runs on it.</summary>
    internal static readonly Outside Platform = new();

    /// <summary>A tenant with the same people, whose values are nothing here.</summary>
    internal Estate Acme { get; private set; } = null!;

    /// <summary>Ada at the other tenant.</summary>
    internal Person AdaAtAcme { get; private set; } = null!;

    /// <summary>Ends all that a person let in, and so is nobody whose grants are looked at elsewhere.</summary>
    internal string AdminToken => "Bearer " + File.ReadAllText(Path.Combine(Server.Folder, "admin.token")).Trim();

    private HttpClient http = null!;

    private protected override string MoreClients =>
        $"""
          - client_id: holder
            client_secret: {Secret}
            redirect_uris: [https://holder.example/cb]
            grant_types: [authorization_code, refresh_token, client_credentials]
            resources: [echo]
            dpop_bound_access_tokens: true
          - client_id: signs
            jwks: '{Keys.Jwks}'
            grant_types: ['{Gadget.GrantType}', '{Butler.GrantType}']
          - client_id: service
            client_secret: {Secret}
            grant_types: [client_credentials, '{Walker.Exchange}']
            introspects: [echo]
            resources: [echo]
          - client_id: guard
            client_secret: {Secret}
            grant_types: [refresh_token]
            global_revocation: true

        """;

    private protected override string MoreIssuers =>
        $"""
          - issuer: https://platform.example
            kind: workload
            jwks: '{Platform.Jwks}'
            resources: [echo]
            scope: mcp:read

        """;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
        })
        {
            BaseAddress = Server.Http.BaseAddress,
        };
        Acme = await Estate.AddAsync(Server, "acme");
        AdaAtAcme = Acme.Visit();
        await AdaAtAcme.SignInAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        http.Dispose();
        AdaAtAcme.Dispose();
        Acme.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>What the other tenant gives to its app.</summary>
    internal async Task<string> CodeOfAcmeAsync(params (string Name, string? Value)[] changes) =>
        (await AdaAtAcme.LetInAsync(Acme.Tenant.Path + Acme.App.Authorize(changes))).Code;

    internal async Task<Reply> TokensOfAcmeAsync(params (string Name, string? Value)[] changes) =>
        await Acme.App.RedeemAsync(await CodeOfAcmeAsync(changes), ("resource", null));

    /// <summary>Sends a form; what came of it in a word.</summary>
    internal async Task<string> PostAsync(string path, (string Name, string? Value)[] fields) =>
        Word(await SendAsync(path, fields));

    internal Task<Reply> SendAsync(string path, (string Name, string? Value)[] fields) =>
        SendAsync(HttpMethod.Post, path, fields, rest => Form(Encode(rest)));

    /// <summary>The same with an address alone.</summary>
    internal Task<Reply> SendAsync(HttpMethod method, string path, (string Name, string? Value)[] fields) =>
        SendAsync(method, path, fields, null);

    /// <summary>The same with a body of JSON.</summary>
    internal async Task<string> SendJsonAsync(
        HttpMethod method, string path, (string Name, string? Value)[] fields) =>
        Word(await SendAsync(method, path, fields, members =>
        {
            var content = new ByteArrayContent(JsonText.Of(members));
            content.Headers.ContentType = new("application/json");
            return content;
        }));

    private async Task<Reply> SendAsync(
        HttpMethod method,
        string path,
        (string Name, string? Value)[] fields,
        Func<(string Name, string? Value)[], HttpContent>? bodyOf)
    {
        path = fields.Where(field => field.Name[0] is '{')
            .GroupBy(field => field.Name, field => Uri.EscapeDataString(field.Value ?? ""))
            .Aggregate(path, (text, part) => text.Replace(part.Key, string.Join('/', part), StringComparison.Ordinal));
        path = Raw(System.Text.RegularExpressions.Regex.Replace(path, @"\{\w+\}", ""));
        var rest = fields.Where(field => char.IsAsciiLetterLower(field.Name[0])).ToArray();
        using var request = new HttpRequestMessage(
            method, new Uri(bodyOf is null ? $"{path}?{Encode(rest)}" : path, UriKind.Relative));
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
    internal async Task<string> CallAsync(string path, (string Name, string? Value)[] fields) => Word(await SendAsync(
        HttpMethod.Post,
        path,
        [.. fields, ("Accept", "application/json, text/event-stream")],
        _ => new StringContent(
            """{"jsonrpc":"2.0","id":1,"method":"ping"}""", Encoding.UTF8, "application/json")));

    /// <summary>Opens an address; what the person sees, or what the client is told.</summary>
    internal static async Task<string> OpenAsync(
        Person person, string path, (string Name, string? Value)[] fields) =>
        Word(await person.OpenAsync($"{path}?{Encode(fields)}"));

    /// <summary>The same by a form that a client's page sends.</summary>
    internal async Task<string> OpenByFormAsync(Person person, string path, (string Name, string? Value)[] fields)
    {
        var reply = await SendAsync(path, fields);
        return reply.Headers.Location is { } next
            ? await FollowAsync(person, next)
            : Page(reply.Status);
    }

    /// <summary>Sends a form of a page of ours, and goes where it leads.</summary>
    internal static async Task<string> SendPageAsync(
        Person person, string address, (string Name, string? Value)[] fields)
    {
        using var answer = await person.SendBodyAsync(address, Form(Encode(fields)));
        return answer.Headers.Location is { } next
            ? await FollowAsync(person, next)
            : answer.StatusCode is HttpStatusCode.OK ? "asked again" : Page(answer.StatusCode);
    }

    private static async Task<string> FollowAsync(Person person, Uri next) => Word(
        next.IsAbsoluteUri
            ? new(HttpStatusCode.SeeOther, "", null, next)
            : await person.OpenAsync(next.OriginalString));

    private static string Page(HttpStatusCode status) =>
        status is HttpStatusCode.BadRequest ? "*page*" : $"*page* {(int)status}";

    internal static string Word(Stop stop)
    {
        if (stop.Left is { } left)
        {
            return new Answer(left)["error"] ?? Attempt.Good;
        }

        return (stop.Status, stop.Page?.QuerySelector("form.consent")) switch
        {
            (HttpStatusCode.OK, null) when stop.Page?.QuerySelector("h1")?.TextContent is "You said no" => "denied",
            (HttpStatusCode.OK, null) when stop.Page?.QuerySelector("h1")?.TextContent is "You let it in" =>
                Attempt.Good,
            (HttpStatusCode.OK, not null) => Attempt.Good,
            (HttpStatusCode.OK, _) => "asked",
            var (status, _) => Page(status),
        };
    }

    internal static string Word(Reply reply) => reply switch
    {
        { Error: { } error } => error + ((int)reply.Status, error) switch
        {
            (401, "invalid_client") or (400, not "invalid_client") => "",
            var (status, _) => $" {status}",
        },
        _ when (int)reply.Status is >= 200 and < 300 => Attempt.Good,
        _ => $"{(int)reply.Status} {Challenge(reply)}".TrimEnd(),
    };

    private static string Challenge(Reply reply) =>
        reply.Headers.WwwAuthenticate.ToString().Split("error=\"").Skip(1).FirstOrDefault("").Split('"')[0];

    private static StringContent Form(string text) =>
        new(text, Encoding.UTF8, "application/x-www-form-urlencoded");

    internal static string Escape(string value) => Raw(Uri.EscapeDataString(value));

    internal static string Encode((string Name, string? Value)[] fields) => Raw(App.Encode(fields));

    private static string Raw(string text) =>
        text.Replace(Uri.EscapeDataString(Attempt.NoText), "%FF%FE", StringComparison.Ordinal);
}
