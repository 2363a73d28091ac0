using System.Net;
using Postern.Tests.Tenants;

namespace Postern.Tests.OAuth.Input;

/// <summary>The town of the walk with a tenant beside it, and how requests are sent there.</summary>
public sealed class InputTown : WalkTown
{
    /// <summary>A platform that vouches for what runs on it.</summary>
    internal static readonly Outside Platform = new();

    /// <summary>A server that the API added.</summary>
    internal const string Added = "added";

    /// <summary>A tenant with the same people, whose values are nothing here.</summary>
    internal Estate Acme { get; private set; } = null!;

    /// <summary>Servers whose clients show certificates.</summary>
    internal CertTown Certificates { get; private set; } = null!;

    /// <summary>A tenant under a name, which passkeys need.</summary>
    internal Estate Named { get; private set; } = null!;

    /// <summary>An agent with the client <c>robot</c>, and one of the other tenant.</summary>
    internal string Agent { get; private set; } = null!;

    internal string AgentOfAcme { get; private set; } = null!;

    /// <summary>Ada at the other tenant.</summary>
    internal Person AdaAtAcme { get; private set; } = null!;

    /// <summary>Ends all that a person let in, and so is nobody whose grants are looked at elsewhere.</summary>
    internal string AdminToken => "Bearer " + File.ReadAllText(Path.Combine(Server.Folder, "admin.token")).Trim();

    private Wire wire = null!;

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

    // A local command that waits to be spoken to.
    private protected override string MoreServers =>
        """
          - { name: local, command: [/bin/sh, -c, "while read -r line; do :; done"] }
        """;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        wire = Wire.To(Server.Http.BaseAddress!);
        Acme = await Estate.AddAsync(Server, "acme");
        AdaAtAcme = Acme.Visit();
        await AdaAtAcme.SignInAsync();
        Certificates = await CertTown.StartAsync();
        Named = await Estate.AddAsync(Server, "named", $"named.localhost:{Server.Http.BaseAddress!.Port}");
        await AdministerAsync(HttpMethod.Post, "/api/tenants", ("name", "\"spare\""));
        foreach (var at in (string[])["", Acme.Tenant.Path])
        {
            await AdministerAsync(HttpMethod.Post, at + "/api/organizations", ("id", $"\"house{at.Length}\""));
        }

        await AddServerAsync("", Added);
        await AddServerAsync(Acme.Tenant.Path, "elsewhere");
        Agent = await AddAgentAsync("", "robot");
        AgentOfAcme = await AddAgentAsync(Acme.Tenant.Path, "machine");
    }

    internal Task<Reply> AddServerAsync(string at, string name) => AdministerAsync(
        HttpMethod.Post, at + "/api/servers", ("name", $"\"{name}\""), ("url", "\"http://127.0.0.1:9/mcp\""));

    /// <summary>Makes an agent whose client is one that no other has.</summary>
    internal async Task<string> AddAgentAsync(string at, string client) => (await AdministerAsync(
        HttpMethod.Post,
        at + "/api/agents",
        ("name", "\"Robot\""),
        ("owner", $"\"{Person.Ada}\""),
        ("purpose", "\"to be tried\""),
        ("ends", "\"2030-06-30\""),
        ("clients", $"[\"{client}\"]"))).Member("id")!;

    /// <summary>Asks as an operator for what is good.</summary>
    internal async Task<Reply> AdministerAsync(
        HttpMethod method, string path, params (string Name, string? Value)[] fields)
    {
        var reply = await wire.SendAsync(
            method,
            path,
            [.. fields, ("Authorization", AdminToken)],
            method == HttpMethod.Post || method == HttpMethod.Put ? Wire.Json : null);
        Assert.InRange((int)reply.Status, 200, 299);
        return reply;
    }

    /// <summary>Asks as an operator; a refusal without a sentence is a word of its own.</summary>
    internal async Task<(string Word, Reply Reply)> TryApiAsync(
        HttpMethod method, string path, (string Name, string? Value)[] fields, bool hasBody)
    {
        var reply = await wire.SendAsync(method, path, fields, hasBody ? Wire.Json : null);
        // What is no HTTP, or too much of it, is answered before anything of ours is asked.
        var isOurs = reply is not { Status: HttpStatusCode.BadRequest or HttpStatusCode.RequestUriTooLong, Text: "" };
        return ((int)reply.Status >= 400 && isOurs && reply.Member("detail") is not { Length: > 20 }
            ? Word(reply) + " without a word"
            : Word(reply), reply);
    }

    public override async ValueTask DisposeAsync()
    {
        wire.Dispose();
        await Certificates.DisposeAsync();
        AdaAtAcme.Dispose();
        Acme.Dispose();
        Named.Dispose();
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
        wire.SendAsync(HttpMethod.Post, path, fields, Wire.Form);

    /// <summary>The same with an address alone.</summary>
    internal Task<Reply> SendAsync(HttpMethod method, string path, (string Name, string? Value)[] fields) =>
        wire.SendAsync(method, path, fields, null);

    internal Task<Reply> SendAsync(
        HttpMethod method,
        string path,
        (string Name, string? Value)[] fields,
        Func<(string Name, string? Value)[], HttpContent> bodyOf) => wire.SendAsync(method, path, fields, bodyOf);

    /// <summary>The same with a body of JSON.</summary>
    internal async Task<string> SendJsonAsync(
        HttpMethod method, string path, (string Name, string? Value)[] fields) =>
        Word(await wire.SendAsync(method, path, fields, Wire.Json));

    /// <summary>Knocks at an MCP server.</summary>
    internal async Task<string> CallAsync(string path, (string Name, string? Value)[] fields) =>
        Word(await wire.CallAsync(path, fields));

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
        using var answer = await person.SendBodyAsync(address, Wire.Form(fields));
        return answer.Headers.Location is { } next
            ? await FollowAsync(person, next)
            : answer.StatusCode is HttpStatusCode.OK ? "asked again" : Page(answer.StatusCode);
    }

    private static async Task<string> FollowAsync(Person person, Uri next) => Word(
        next.IsAbsoluteUri
            ? new(HttpStatusCode.SeeOther, "", null, next)
            : await person.OpenAsync(next.OriginalString));

    internal static string Page(HttpStatusCode status) =>
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

    internal static string Escape(string value) => Wire.Escape(value);

    internal static string Encode((string Name, string? Value)[] fields) => Wire.Encode(fields);
}
