using System.Text.Json.Nodes;

namespace Postern.OAuth.ClientAuth;

/// <summary>The names of what a relying party registers, and the answer that repeats it.</summary>
internal static class OpenIdMembers
{
    public static readonly string[] All =
    [
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "subject_type",
        "sector_identifier_uri",
        "post_logout_redirect_uris",
        "backchannel_logout_uri",
        "backchannel_logout_session_required",
        "default_max_age",
        "require_auth_time",
        "default_acr_values",
        "initiate_login_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
    ];

    public static JsonObject Write(OpenIdClient client)
    {
        var json = new JsonObject
        {
            ["id_token_signed_response_alg"] = client.IdTokenAlgorithm,
            ["userinfo_signed_response_alg"] = client.UserInfoAlgorithm,
            ["subject_type"] = client.Sector is null ? "public" : "pairwise",
            ["sector_identifier_uri"] = client.SectorIdentifierUri,
            ["post_logout_redirect_uris"] = List(client.PostLogoutRedirectUris),
            ["backchannel_logout_uri"] = client.BackchannelLogoutUri,
            ["backchannel_logout_session_required"] = client.NeedsSid,
            ["default_max_age"] = client.DefaultMaxAge,
            ["require_auth_time"] = client.RequiresAuthTime,
            ["default_acr_values"] = List(client.DefaultAcrValues),
            ["initiate_login_uri"] = client.InitiateLoginUri,
            ["logo_uri"] = client.LogoUri,
            ["policy_uri"] = client.PolicyUri,
            ["tos_uri"] = client.TermsUri,
        };
        foreach (var (name, _) in json.Where(member => member.Value is null).ToList())
        {
            json.Remove(name);
        }

        return json;
    }

    private static JsonArray? List(IReadOnlyList<string> texts) =>
        texts.Count > 0 ? [.. texts.Select(text => JsonValue.Create(text))] : null;
}
