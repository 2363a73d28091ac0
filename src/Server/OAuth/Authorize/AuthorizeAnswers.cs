using Postern.OAuth.Requests;
using Postern.Platform.Http;
using Postern.Platform.Keys;
using Postern.Platform.Pages;

namespace Postern.OAuth.Authorize;

/// <summary>
/// Makes the answers that a browser takes back to a client. They say whose they are, on success and error alike: by
/// <c>iss</c> (RFC 9207 §2) or by a signature (JARM §2.1).
/// </summary>
internal sealed class AuthorizeAnswers(SigningKeys keys, TimeProvider clock)
{
    // JARM §2.1: at most ten minutes. It is on its way, and nothing waits for it.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    public AuthorizeAnswer Code(Tenant tenant, ReturnWay way, string code) => Make(tenant, way, [("code", code)]);

    public AuthorizeAnswer Error(Tenant tenant, ReturnWay way, OAuthError error) =>
        Make(tenant, way, [("error", error.Code), ("error_description", error.Description)]);

    private AuthorizeAnswer Make(Tenant tenant, ReturnWay way, IEnumerable<(string Name, string Value)> said)
    {
        var whole = said.Append(("iss", tenant.Issuer)).Concat(way.State is { } state ? [("state", state)] : []);
        // An error about the mode is told in the usual one.
        var mode = ResponseMode.Parse(way.Mode) ?? ResponseMode.Parse(null)!;
        return new(way.Uri, mode.IsForm, mode.IsSigned ? [("response", Sign(tenant, way, whole))] : [.. whole]);
    }

    // It says no `typ`, which would be that of an ID token.
    private string Sign(Tenant tenant, ReturnWay way, IEnumerable<(string Name, string Value)> said) =>
        JwtWriter.Write(keys.Current(tenant.Id), null, json =>
        {
            json.WriteString("aud"u8, way.Client.Value);
            json.WriteNumber("exp"u8, (clock.GetUtcNow() + Lifetime).ToUnixTimeSeconds());
            foreach (var (name, value) in said)
            {
                json.WriteString(name, value);
            }
        });
}

/// <summary>One answer: where it goes, how, and what it says.</summary>
internal sealed record AuthorizeAnswer(string Uri, bool IsForm, IReadOnlyList<(string Name, string Value)> Parameters)
{
    /// <summary>
    /// The address that says it all. The registered one is text of the client's; it is appended to and never rewritten.
    /// </summary>
    public string Address => Uri + (Uri.Contains('?') ? '&' : '?') + string.Join(
        '&', Parameters.Select(one => $"{one.Name}={System.Uri.EscapeDataString(one.Value)}"));

    /// <summary>Sends the browser there.</summary>
    public IResult ToHttp() => IsForm
        ? Page("You are let in", "Your answer is on its way to the app.", isAutomatic: true)
        : new SeeOther(Address);

    /// <summary>
    /// RFC 9700 §4.11.2: shows where an error leads, for a client that nobody vouches for; the person goes, or not.
    /// </summary>
    public IResult Shown(OAuthError error)
    {
        const string what = "The app asked for something that cannot be given";
        var place = Untrusted.Place(new(Uri));
        return IsForm
            ? Page(what, error.Description, isAutomatic: false, error.Status)
            : new PageResult<ErrorPage, ErrorView>(new(
                what,
                error.Description,
                $"Go back to {place} to let it know, or close this page.",
                Address,
                $"Go back to {place}"))
            {
                Status = error.Status,
            };
    }

    private PageResult<PostBackPage, PostBackView> Page(
        string what, string whose, bool isAutomatic, int status = 200) =>
        new(new(what, whose, Uri, Untrusted.Place(new(Uri)), Parameters, isAutomatic))
        {
            Status = status,
            FormTargets = [ReturnPlace.Of(new(Uri)).FormTarget],
            HasOwnForms = false,
        };
}
