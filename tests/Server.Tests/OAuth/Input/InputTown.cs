using System.Net;
using System.Text;
using Postern.Tests.Tenants;

namespace Postern.Tests.OAuth.Input;

/// <summary>The town of the walk with a tenant beside it, and how requests are sent there.</summary>
public sealed class InputTown : WalkTown
{
    /// <summary>A tenant with the same people, whose values are nothing here.</summary>
    internal Estate Acme { get; private set; } = null!;

    /// <summary>Ada at the other tenant.</summary>
    internal Person AdaAtAcme { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Acme = await Estate.AddAsync(Server, "acme");
        AdaAtAcme = Acme.Visit();
        await AdaAtAcme.SignInAsync();
    }

    public override async ValueTask DisposeAsync()
    {
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

    internal async Task<Reply> SendAsync(string path, (string Name, string? Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
        request.Content = new StringContent(Encode(fields), Encoding.UTF8, "application/x-www-form-urlencoded");
        using var answer = await Server.Http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }

    /// <summary>Opens an address; what the person sees, or what the client is told.</summary>
    internal static async Task<string> OpenAsync(Person person, string path, (string Name, string? Value)[] fields)
    {
        var stop = await person.OpenAsync($"{path}?{Encode(fields)}");
        if (stop.Left is { } left)
        {
            return new Answer(left)["error"] ?? Attempt.Good;
        }

        return (stop.Status, stop.Page?.QuerySelector("form.consent")) switch
        {
            (HttpStatusCode.OK, not null) => Attempt.Good,
            (HttpStatusCode.OK, _) => "asked",
            (HttpStatusCode.BadRequest, _) => "*page*",
            var (status, _) => $"*page* {(int)status}",
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
        _ => $"{(int)reply.Status}",
    };

    private static string Encode((string Name, string? Value)[] fields) =>
        App.Encode(fields).Replace(Uri.EscapeDataString(Attempt.NoText), "%FF%FE", StringComparison.Ordinal);
}
