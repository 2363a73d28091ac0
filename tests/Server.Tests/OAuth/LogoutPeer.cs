using System.Web;

namespace Postern.Tests.OAuth;

/// <summary>The sites of two clients, which hear of logouts under one address.</summary>
internal sealed class LogoutPeer : IAsyncDisposable
{
    private readonly DocumentHost host = new();

    public LogoutPeer(string says, string more = "") => Say(says, more);

    /// <summary>The logout tokens it was sent.</summary>
    public IReadOnlyList<string> Heard =>
        [.. host.Heard.Select(text => HttpUtility.ParseQueryString(
            text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..])["logout_token"]!)];

    public string Settings => host.Settings + $$"""
        demo: false
        users:
          - { email: {{Person.Ada}}, password: {{Person.AdasPassword}} }
          - { email: {{Person.Bob}}, password: {{Person.BobsPassword}} }
        clients:
          - client_id: one
            client_secret: {{App.WebSecret}}
            redirect_uris: [https://one.example/cb]
            backchannel_logout_uri: {{host.At("/one?of=1")}}
          - client_id: two
            client_secret: {{App.WebSecret}}
            redirect_uris: [https://two.example/cb]
            subject_type: pairwise
            id_token_signed_response_alg: ES256
            backchannel_logout_uri: {{host.At("/two")}}
        """;

    public void Say(string says, string more = "")
    {
        host.Put("/one?of=1", more, $"{says}\r\nContent-Type: text/plain");
        host.Put("/two", more, $"{says}\r\nContent-Type: text/plain");
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();
}
