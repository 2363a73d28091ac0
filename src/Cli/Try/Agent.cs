using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Postern.Cli.Try;

/// <summary>What the resource says of itself (RFC 9728).</summary>
internal sealed record ResourceFacts(string Resource, string Issuer, string Scope);

/// <summary>Where the authorization server does what (RFC 8414).</summary>
internal sealed record IssuerFacts(string Issuer, Uri Authorization, Uri Token, Uri Registration);

/// <summary>
/// An MCP client as others write them, revision 2026-07-28: it begins with the address of a server, holds nothing, and
/// believes only what the standards let it believe.
/// </summary>
internal sealed partial class Agent(Uri server) : IDisposable
{
    private const string Revision = "2026-07-28", MetaPrefix = "io.modelcontextprotocol/";

    private readonly Wire wire = new(jar: null);
    private int lastId;

    /// <summary>Asks without a token; answers where the challenge sends us (RFC 9728 §5.1).</summary>
    public async Task<Uri> KnockAsync(CancellationToken stop)
    {
        var reply = await SendAsync("tools/list", [], null, stop);
        if (reply.Status is not 401)
        {
            throw reply.Refuse("401 was expected");
        }

        var address = Parameter().Match(reply.Challenge).Groups["url"].Value;
        return Uri.TryCreate(address, UriKind.Absolute, out var metadata) && metadata.Authority == server.Authority
            ? metadata
            : throw new RefusalException($"WWW-Authenticate names no metadata at this server: {reply.Challenge}");
    }

    public async Task<ResourceFacts> ReadResourceAsync(Uri metadata, CancellationToken stop)
    {
        var document = (await wire.GetAsync(metadata, stop)).Json;
        var facts = new ResourceFacts(
            Text(document, "resource"),
            (string?)document["authorization_servers"]?[0] ?? throw Missing("authorization_servers"),
            string.Join(' ', document["scopes_supported"]?.AsArray().Select(scope => (string?)scope) ?? []));
        // RFC 9728 §3.3: otherwise one resource could have tokens made for another.
        return facts.Resource == server.AbsoluteUri
            ? facts
            : throw new RefusalException($"The metadata is of {facts.Resource}, and we asked {server}.");
    }

    public async Task<IssuerFacts> ReadIssuerAsync(ResourceFacts resource, CancellationToken stop)
    {
        var issuer = new Uri(resource.Issuer);
        var document = (await wire.GetAsync(
            new(issuer, "/.well-known/oauth-authorization-server" + issuer.AbsolutePath.TrimEnd('/')), stop)).Json;
        if (Text(document, "issuer") != resource.Issuer)
        {
            throw new RefusalException($"The metadata is of {document["issuer"]}, and we asked {resource.Issuer} "
                + "(RFC 8414 §3.3).");
        }

        var methods = document["code_challenge_methods_supported"]?.AsArray();
        if (methods?.Any(method => (string?)method is "S256") is not true)
        {
            throw new RefusalException("The authorization server does not offer PKCE with S256.");
        }

        return new(
            resource.Issuer,
            new(Text(document, "authorization_endpoint")),
            new(Text(document, "token_endpoint")),
            new(Text(document, "registration_endpoint")));
    }

    /// <summary>Registers this program (RFC 7591); answers the <c>client_id</c>.</summary>
    public async Task<string> RegisterAsync(IssuerFacts issuer, Uri callback, CancellationToken stop)
    {
        var reply = await wire.PostAsync(issuer.Registration, Wire.Json(new JsonObject
        {
            ["client_name"] = "postern try",
            ["redirect_uris"] = new JsonArray(callback.AbsoluteUri),
            ["grant_types"] = new JsonArray("authorization_code"),
            ["response_types"] = new JsonArray("code"),
            ["token_endpoint_auth_method"] = "none",
        }), stop);
        return reply.Status is 201 ? Text(reply.Json, "client_id") : throw reply.Refuse("201 was expected");
    }

    public async Task<HeldToken> RedeemAsync(AuthorizationQuestion question, string code, CancellationToken stop)
    {
        var form = new FormUrlEncodedContent(question.Redemption(code));
        var reply = await wire.PostAsync(question.Issuer.Token, form, stop);
        return reply.Status is 200 ? HeldToken.Read(reply.Json) : throw reply.Refuse("200 was expected");
    }

    /// <summary>The names of the tools that can be called with this token.</summary>
    public async Task<IReadOnlyList<string>> ListToolsAsync(HeldToken token, CancellationToken stop)
    {
        var result = await ResultAsync("tools/list", [], token, stop);
        return [.. result["tools"]?.AsArray().Select(tool => (string?)tool?["name"] ?? "") ?? throw Missing("tools")];
    }

    /// <summary>Calls a tool; answers what it said.</summary>
    public async Task<string> CallAsync(HeldToken token, string tool, JsonObject arguments, CancellationToken stop)
    {
        var result = await ResultAsync("tools/call", new() { ["name"] = tool, ["arguments"] = arguments }, token, stop);
        var said = (string?)result["content"]?[0]?["text"] ?? "";
        return (bool?)result["isError"] is true ? throw new RefusalException($"{tool} failed: {said}") : said;
    }

    public void Dispose() => wire.Dispose();

    private async Task<JsonNode> ResultAsync(
        string method, JsonObject parameters, HeldToken token, CancellationToken stop)
    {
        var reply = await SendAsync(method, parameters, token, stop);
        return reply.Status is 200 && reply.Json["result"] is { } result
            ? result
            : throw reply.Refuse("a result was expected");
    }

    // What the headers say, the body says too; the server checks that they agree.
    private Task<Reply> SendAsync(string method, JsonObject parameters, HeldToken? token, CancellationToken stop)
    {
        parameters["_meta"] = new JsonObject
        {
            [MetaPrefix + "protocolVersion"] = Revision,
            [MetaPrefix + "clientInfo"] = new JsonObject { ["name"] = "postern-try", ["version"] = SayVersion.Version },
            [MetaPrefix + "clientCapabilities"] = new JsonObject(),
        };
        var headers = new Dictionary<string, string?>
        {
            ["Accept"] = "application/json, text/event-stream",
            ["MCP-Protocol-Version"] = Revision,
            ["Mcp-Method"] = method,
            ["Mcp-Name"] = (string?)parameters["name"],
            ["Authorization"] = token?.Header,
        };
        return wire.PostAsync(server, Wire.Json(new JsonObject
        {
            ["jsonrpc"] = "2.0",
            ["id"] = ++lastId,
            ["method"] = method,
            ["params"] = parameters,
        }), stop, headers);
    }

    private static string Text(JsonNode document, string name) => (string?)document[name] ?? throw Missing(name);

    private static RefusalException Missing(string name) =>
        new(string.Create(CultureInfo.InvariantCulture, $"The answer lacks `{name}`."));

    [GeneratedRegex(
        """^Bearer .*\bresource_metadata="(?<url>[^"]*)""",
        RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Parameter();
}
