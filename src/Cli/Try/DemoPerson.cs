using System.Net;

namespace Postern.Cli.Try;

/// <summary>
/// Does what a person does in a browser: follows the server from page to page, fills in fields by their labels, presses
/// buttons by their words. It goes through the same pages and has no other way in. The account is this program's own,
/// so it signs in itself; the answer is the person's, but with <c>--headless</c>.
/// </summary>
internal sealed class DemoPerson : IDisposable
{
    private const int MostSteps = 10;

    private readonly PrivateServer server;
    private readonly CookieContainer jar = new();
    private readonly Wire wire;

    public DemoPerson(PrivateServer server)
    {
        this.server = server;
        wire = new(jar);
    }

    /// <summary>What makes a browser this person's, at the private server.</summary>
    public IReadOnlyCollection<Cookie> Cookies => jar.GetCookies(new(server.Origin));

    /// <summary>Signs in on the way of a request; answers the page that asks for leave.</summary>
    public async Task<Reply> SignInAsync(Uri question, CancellationToken stop)
    {
        var page = await FollowAsync(await wire.GetAsync(question, stop), stop);
        var form = PageForm.With("Sign in", page.Body) ?? throw page.Refuse("the sign-in page was expected");
        form.Fill("Email", server.Email);
        form.Fill("Password", server.Password);
        return await FollowAsync(await PressAsync(page, form, stop), stop);
    }

    /// <summary>Allows what the page has ticked; answers where the browser is sent then.</summary>
    public async Task<Uri> AllowAsync(Reply page, CancellationToken stop)
    {
        var form = PageForm.With("Allow", page.Body) ?? throw page.Refuse("the page that asks for leave was expected");
        var end = await FollowAsync(await PressAsync(page, form, stop), stop);
        return end.Location ?? throw end.Refuse("the way back to the client was expected");
    }

    public void Dispose() => wire.Dispose();

    private Task<Reply> PressAsync(Reply page, PageForm form, CancellationToken stop) => wire.PostAsync(
        page.From, new FormUrlEncodedContent(form.Fields), stop, new() { ["Origin"] = server.Origin });

    // Within the server; where it sends the browser elsewhere, the person's part is over.
    private async Task<Reply> FollowAsync(Reply reply, CancellationToken stop)
    {
        for (var step = 0; step < MostSteps; step++)
        {
            if (reply.Location is not { } location
                || new Uri(reply.From, location) is var next && next.GetLeftPart(UriPartial.Authority) != server.Origin)
            {
                return reply;
            }

            reply = await wire.GetAsync(next, stop);
        }

        throw new RefusalException($"The server sends the browser in circles, last to {reply.From.AbsolutePath}.");
    }
}
