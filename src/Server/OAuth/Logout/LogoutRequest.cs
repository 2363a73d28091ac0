using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Postern.OAuth.Logout;

/// <summary>The parameters of a logout request as they came (OpenID Connect RP-Initiated Logout §2).</summary>
internal sealed record LogoutRequest
{
    private const int MaxValue = 3000;

    private static readonly string[] Names = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];

    public string? IdTokenHint { get; private init; }

    public string? ClientId { get; private init; }

    public string? RedirectUri { get; private init; }

    public string? State { get; private init; }

    /// <summary>Where a client sent by a form, the same as a link: a form of another site brings no cookies.</summary>
    public string Link => Address("/logout");

    /// <summary>The same request at the place that our own page posts to.</summary>
    public string Confirmation => Address("/logout/confirm");

    /// <summary>Null for a request that says something twice, too long, or not in ASCII.</summary>
    public static LogoutRequest? Parse(IEnumerable<KeyValuePair<string, StringValues>> parameters)
    {
        var read = parameters.Where(parameter => Names.Contains(parameter.Key)).ToDictionary(StringComparer.Ordinal);
        return read.Values.Any(values => values.Count > 1 || !IsPlain(values.ToString()))
            ? null
            : new()
            {
                IdTokenHint = One("id_token_hint"),
                ClientId = One("client_id"),
                RedirectUri = One("post_logout_redirect_uri"),
                State = One("state"),
            };

        string? One(string name) => read.GetValueOrDefault(name) is [{ Length: > 0 } value] ? value : null;
    }

    private static bool IsPlain(string value) =>
        value.Length <= MaxValue && !value.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private string Address(string path) => QueryHelpers.AddQueryString(
        path,
        new Dictionary<string, string?>
        {
            ["id_token_hint"] = IdTokenHint,
            ["client_id"] = ClientId,
            ["post_logout_redirect_uri"] = RedirectUri,
            ["state"] = State,
        }.Where(parameter => parameter.Value is not null));
}
