namespace Postern.OAuth.Authorize;

/// <summary>
/// Builds the address the browser is sent back to, with <c>iss</c> on success and error alike (RFC 9207 §2).
/// </summary>
internal static class AuthorizeAnswer
{
    public static string Code(Tenant tenant, string redirectUri, string? state, string code) =>
        Build(tenant, redirectUri, state, ("code", code));

    public static string Error(Tenant tenant, string redirectUri, string? state, OAuthError error) =>
        Build(tenant, redirectUri, state, ("error", error.Code), ("error_description", error.Description));

    private static string Build(
        Tenant tenant, string redirectUri, string? state, params (string Name, string Value)[] parameters)
    {
        var query = parameters.Append(("iss", tenant.Issuer)).Concat(state is null ? [] : [("state", state)])
            .Select(pair => $"{pair.Item1}={Uri.EscapeDataString(pair.Item2)}");
        // The registered address is text of the client's; it is appended to and never rewritten.
        return redirectUri + (redirectUri.Contains('?') ? '&' : '?') + string.Join('&', query);
    }
}
