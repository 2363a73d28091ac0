using System.Text.Json.Nodes;

namespace Postern.Cli.Try;

/// <summary>
/// The way through all gates, in order. What the agent learns at one gate is all it knows at the next.
/// </summary>
internal sealed class Errand(PrivateServer server, TryReport report, bool isHeadless)
{
    private const string Tool = "add_note";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public async Task RunAsync(CancellationToken stop)
    {
        using var agent = new Agent(new($"{server.Origin}/mcp/notes"));
        var metadata = await report.PassAsync(
            "401",
            () => agent.KnockAsync(stop),
            found => $"without a token; ask at {found.PathAndQuery}");
        var resource = await report.PassAsync(
            "resource",
            () => agent.ReadResourceAsync(metadata, stop),
            found => $"{found.Issuer} decides who comes in");
        var issuer = await report.PassAsync(
            "issuer",
            () => agent.ReadIssuerAsync(resource, stop),
            found => $"register at {found.Registration.AbsolutePath}, PKCE with S256");
        using var callback = new LoopbackCallback();
        var client = await report.PassAsync(
            "registration",
            () => agent.RegisterAsync(issuer, callback.Address, stop),
            id => $"this program is client {id} now");

        var question = new AuthorizationQuestion(issuer, client, callback.Address, resource);
        var token = await ComeInAsync(agent, question, callback, stop);
        report.Token(token.Decoded);

        await WorkAsync(agent, token, stop);
    }

    private async Task<HeldToken> ComeInAsync(
        Agent agent, AuthorizationQuestion question, LoopbackCallback callback, CancellationToken stop)
    {
        using var person = new DemoPerson(server);
        var page = await report.PassAsync(
            "sign-in",
            () => person.SignInAsync(question.Address, stop),
            _ => $"{server.Email}, by this program, whose account it is");
        var answer = isHeadless
            ? await report.PassAsync(
                "consent", () => person.AllowAsync(page, stop), _ => "Allow, in place of a person (--headless)")
            : await AskAsync(callback.HandOver(page.From, person.Cookies), callback, stop);
        var code = await report.PassAsync(
            "code",
            () => Task.FromResult(question.Read(answer)),
            _ => "came back with our state, from the issuer we asked");
        return await report.PassAsync(
            "token",
            () => agent.RedeemAsync(question, code, stop),
            held => $"{held.Scope}; good for {held.ExpiresIn} s, at this address alone");
    }

    private async Task WorkAsync(Agent agent, HeldToken token, CancellationToken stop)
    {
        var tools = await report.PassAsync(
            "tools/list",
            () => agent.ListToolsAsync(token, stop),
            names => $"{names.Count} tools: {string.Join(", ", names)}");
        var (tool, arguments) = Choose(tools);
        await report.PassAsync(
            "tools/call",
            () => agent.CallAsync(token, tool, arguments, stop),
            said => $"{tool}: {said}");
        report.Entry(await report.PassAsync(
            "log",
            () => FindEntryAsync(tool, stop),
            entry => $"entry {entry["seq"]} has the call"));
    }

    // The person may have left out the tool that writes.
    private static (string Tool, JsonObject Arguments) Choose(IReadOnlyList<string> tools) => tools.Contains(Tool)
        ? (Tool, new() { ["title"] = "Hello from postern try", ["text"] = "Written by an agent, by a person's leave." })
        : ("list_notes", []);

    private Task<Uri> AskAsync(Uri page, LoopbackCallback callback, CancellationToken stop)
    {
        report.Say(Browser.Open(page)
            ? "Your browser opens, for you to decide. If it does not, go to:"
            : "Open this in a browser on this machine, and decide:");
        report.Say($"[blue]{Screen.Safe(page.AbsoluteUri)}[/]");
        return report.PassAsync("consent", () => callback.WaitAsync(Patience, stop), _ => "a person has answered");
    }

    private async Task<JsonNode> FindEntryAsync(string tool, CancellationToken stop)
    {
        using var api = new AdminApi(server.Origin, server.AdminToken);
        var page = JsonNode.Parse(await api.GetAsync("/api/audit?limit=1000", stop));
        return page?["entries"]?.AsArray().LastOrDefault(entry => IsCall(entry, tool))?.DeepClone()
            ?? throw new RefusalException("The log holds no entry of this call.");
    }

    private static bool IsCall(JsonNode? entry, string tool) =>
        entry?["record"] is { } record
        && (string?)record["kind"] is "tool.call.decision"
        && (string?)record["object"]?["tool"] == tool;
}
