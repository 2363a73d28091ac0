namespace Postern.Tests.OAuth;

/// <summary>
/// Every value that the metadata may have, as <c>member value</c>, and a use of it. What needs another server than the
/// one of this walk names the test that shows it, with <see cref="By"/>.
/// </summary>
internal static class Advertised
{
    public static readonly Dictionary<string, Func<Walker, Task>> Uses = new(StringComparer.Ordinal)
    {
        ["issuer ISSUER"] = walk => walk.TellsAsync("iss"),
        ["authorization_endpoint ISSUER/authorize"] = walk => walk.LetInAsync(),
        ["token_endpoint ISSUER/token"] = walk => walk.LetInAsync(),
        ["jwks_uri ISSUER/jwks"] = walk => walk.TellsAsync("sub"),
        ["registration_endpoint ISSUER/register"] = walk => walk.RegisterAsync(),
        ["device_authorization_endpoint ISSUER/device_authorization"] = walk => walk.DeviceAsync(),
        ["backchannel_authentication_endpoint ISSUER/bc-authorize"] = walk => walk.BackchannelAsync(),
        ["revocation_endpoint ISSUER/revoke"] = walk => walk.RevokeAsync(),
        ["introspection_endpoint ISSUER/introspect"] = walk => walk.IntrospectAsync(),
        ["userinfo_endpoint ISSUER/userinfo"] = walk => walk.UserInfoAsync("site", null),
        ["end_session_endpoint ISSUER/logout"] = walk => walk.LogoutAsync(),
        ["pushed_authorization_request_endpoint ISSUER/par"] = walk => walk.PushAsync(),

        ["response_types_supported code"] = walk => walk.LetInAsync(("response_type", "code")),
        ["response_modes_supported query"] = walk => walk.AnsweredAsync("query"),
        ["response_modes_supported form_post"] = walk => walk.AnsweredAsync("form_post"),
        ["response_modes_supported jwt"] = walk => walk.AnsweredAsync("jwt"),
        ["response_modes_supported query.jwt"] = walk => walk.AnsweredAsync("query.jwt"),
        ["response_modes_supported form_post.jwt"] = walk => walk.AnsweredAsync("form_post.jwt"),
        ["authorization_signing_alg_values_supported ES256"] = walk => walk.AnsweredAsync("jwt", "ES256"),
        ["authorization_response_iss_parameter_supported true"] = walk => walk.IssuerIsSaidAsync(),
        ["code_challenge_methods_supported S256"] = walk => walk.LetInAsync(("code_challenge_method", "S256")),
        ["require_pushed_authorization_requests false"] = walk => walk.LetInAsync(),
        ["request_parameter_supported true"] = walk => walk.SignedRequestAsync("ES256"),
        ["request_object_signing_alg_values_supported ES256"] = walk => walk.SignedRequestAsync("ES256"),
        ["request_object_signing_alg_values_supported PS256"] = walk => walk.SignedRequestAsync("PS256"),
        ["request_uri_parameter_supported false"] = walk => walk.IsToldAsync(
            "request_uri_not_supported", ("request_uri", "https://web.example/request")),
        ["authorization_details_types_supported mcp_tool"] = walk => walk.DetailAsync(
            """{"type":"mcp_tool","locations":["NOTES"],"actions":["read_note"]}"""),
        ["resource: authorization_details_types_supported spend"] = walk => walk.DetailAsync(
            """{"type":"spend","currency":"EUR","max_per_tx":2,"max_total":5}"""),
        ["resource: authorization_details_types_supported egress"] = walk => walk.DetailAsync(
            """{"type":"egress","upstream":"github","methods":["GET","PUT"],"path_templates":["/repos/*"]}"""),
        ["resource: authorization_details_types_supported data_access"] = walk => walk.DetailAsync(
            """{"type":"data_access","datatypes":["mail","people"]}"""),
        ["authorization_details_types_supported spend"] = walk => walk.DetailAsync(
            """{"type":"spend","currency":"EUR","max_total":5}"""),
        ["authorization_details_types_supported egress"] = walk => walk.DetailAsync(
            """{"type":"egress","upstream":"github","methods":["GET"],"path_templates":["/repos/*"]}"""),
        ["authorization_details_types_supported data_access"] = walk => walk.DetailAsync(
            """{"type":"data_access","datatypes":["mail"]}"""),

        ["grant_types_supported authorization_code"] = walk => walk.LetInAsync(),
        ["grant_types_supported refresh_token"] = walk => walk.RefreshAsync(),
        ["grant_types_supported client_credentials"] = walk => walk.ProveAsync("/token", "client_secret_post"),
        [$"grant_types_supported {Walker.Exchange}"] = walk => walk.ExchangeAsync(),
        [$"grant_types_supported {Walker.JwtBearer}"] = walk => walk.AssertAsync(),
        [$"grant_types_supported {Butler.GrantType}"] = walk => walk.BackchannelAsync(),
        [$"grant_types_supported {Butler.Deferred}"] = walk => walk.DeferAsync(),
        [$"grant_types_supported {Gadget.GrantType}"] = walk => walk.DeviceAsync(),
        ["backchannel_token_delivery_modes_supported poll"] = walk => walk.BackchannelAsync(),
        ["backchannel_token_delivery_modes_supported ping"] = walk => walk.PingAsync(),
        ["backchannel_authentication_request_signing_alg_values_supported ES256"] =
            walk => walk.SignedQuestionAsync("ES256"),
        ["backchannel_authentication_request_signing_alg_values_supported PS256"] =
            walk => walk.SignedQuestionAsync("PS256"),
        ["backchannel_user_code_parameter_supported false"] = walk => walk.BackchannelAsync(("user_code", "1234")),
        ["deferred_token_response_supported true"] = walk => walk.DeferAsync(),
        ["authorization_grant_profiles_supported urn:ietf:params:oauth:grant-profile:id-jag"] =
            walk => walk.AssertAsync(),
        ["identity_chaining_requested_token_types_supported urn:ietf:params:oauth:token-type:id-jag"] =
            walk => walk.SayWhoAsync(),

        ["token_endpoint_auth_methods_supported none"] = walk => walk.ProveAsync("/token", "none"),
        ["token_endpoint_auth_methods_supported client_secret_basic"] =
            walk => walk.ProveAsync("/token", "client_secret_basic"),
        ["token_endpoint_auth_methods_supported client_secret_post"] =
            walk => walk.ProveAsync("/token", "client_secret_post"),
        ["token_endpoint_auth_methods_supported private_key_jwt"] = walk => walk.ProveAsync("/token", "ES256"),
        ["token_endpoint_auth_signing_alg_values_supported ES256"] = walk => walk.ProveAsync("/token", "ES256"),
        ["token_endpoint_auth_signing_alg_values_supported PS256"] = walk => walk.ProveAsync("/token", "PS256"),
        ["token_endpoint_auth_signing_alg_values_supported RS256"] = walk => walk.ProveAsync("/token", "RS256"),
        ["revocation_endpoint_auth_methods_supported none"] = walk => walk.ProveAsync("/revoke", "none"),
        ["revocation_endpoint_auth_methods_supported client_secret_basic"] =
            walk => walk.ProveAsync("/revoke", "client_secret_basic"),
        ["revocation_endpoint_auth_methods_supported client_secret_post"] =
            walk => walk.ProveAsync("/revoke", "client_secret_post"),
        ["revocation_endpoint_auth_methods_supported private_key_jwt"] = walk => walk.ProveAsync("/revoke", "ES256"),
        ["revocation_endpoint_auth_signing_alg_values_supported ES256"] = walk => walk.ProveAsync("/revoke", "ES256"),
        ["revocation_endpoint_auth_signing_alg_values_supported PS256"] = walk => walk.ProveAsync("/revoke", "PS256"),
        ["revocation_endpoint_auth_signing_alg_values_supported RS256"] = walk => walk.ProveAsync("/revoke", "RS256"),
        ["introspection_endpoint_auth_methods_supported client_secret_basic"] =
            walk => walk.ProveAsync("/introspect", "client_secret_basic"),
        ["introspection_endpoint_auth_methods_supported client_secret_post"] =
            walk => walk.ProveAsync("/introspect", "client_secret_post"),
        ["introspection_endpoint_auth_methods_supported private_key_jwt"] =
            walk => walk.ProveAsync("/introspect", "ES256"),
        ["introspection_endpoint_auth_signing_alg_values_supported ES256"] =
            walk => walk.ProveAsync("/introspect", "ES256"),
        ["introspection_endpoint_auth_signing_alg_values_supported PS256"] =
            walk => walk.ProveAsync("/introspect", "PS256"),
        ["introspection_endpoint_auth_signing_alg_values_supported RS256"] =
            walk => walk.ProveAsync("/introspect", "RS256"),
        ["revocation_feed_endpoint ISSUER/revocations"] =
            By(nameof(FeedTests.What_ends_here_is_refused_in_another_application_within_a_second)),
        ["introspection_signing_alg_values_supported RS256"] =
            By(nameof(IntrospectionTests.Whoever_accepts_a_signed_answer_gets_one_that_is_for_it_and_opens_nothing)),
        ["introspection_signing_alg_values_supported ES256"] =
            By(nameof(IntrospectionTests.Each_resource_server_has_its_own_algorithm)),
        ["global_token_revocation_endpoint ISSUER/revoke/person"] =
            By(nameof(GlobalRevocationTests.Everything_of_a_person_ends_and_nothing_of_another)),
        ["global_token_revocation_endpoint_auth_methods_supported private_key_jwt"] =
            By(nameof(GlobalRevocationTests.Only_a_client_that_an_operator_lets_ends_anything_and_by_its_own_proof)),
        ["global_token_revocation_endpoint_auth_methods_supported client_secret_basic"] =
            By(nameof(GlobalRevocationTests.Everything_of_a_person_ends_and_nothing_of_another)),
        ["token_endpoint_auth_methods_supported attest_jwt_client_auth"] = walk => walk.AttestAsync("/token", "copy"),
        ["token_endpoint_auth_methods_supported attest_jwt_client_auth_dpop"] =
            walk => walk.AttestAsync("/token", "copy-dpop"),
        ["revocation_endpoint_auth_methods_supported attest_jwt_client_auth"] =
            walk => walk.AttestAsync("/revoke", "copy"),
        ["revocation_endpoint_auth_methods_supported attest_jwt_client_auth_dpop"] =
            walk => walk.AttestAsync("/revoke", "copy-dpop"),
        ["introspection_endpoint_auth_methods_supported attest_jwt_client_auth"] =
            walk => walk.AttestAsync("/introspect", "copy"),
        ["introspection_endpoint_auth_methods_supported attest_jwt_client_auth_dpop"] =
            walk => walk.AttestAsync("/introspect", "copy-dpop"),
        ["challenge_endpoint ISSUER/challenge"] = walk => walk.AttestAsync("/token", "copy"),
        ["client_attestation_signing_alg_values_supported ES256"] = walk => walk.AttestByAsync("ES256"),
        ["client_attestation_pop_signing_alg_values_supported ES256"] = walk => walk.AttestByAsync("ES256"),
        ["client_attestation_signing_alg_values_supported PS256"] = walk => walk.AttestByAsync("PS256"),
        ["client_attestation_pop_signing_alg_values_supported PS256"] = walk => walk.AttestByAsync("PS256"),
        ["client_attestation_signing_alg_values_supported RS256"] = walk => walk.AttestByAsync("RS256"),
        ["client_attestation_pop_signing_alg_values_supported RS256"] = walk => walk.AttestByAsync("RS256"),
        ["refresh_token_expiration_types_supported authorization"] = walk => walk.RefreshAsync(),
        ["refresh_token_expiration_types_supported token_timeout"] = walk => walk.RefreshAsync(),
        ["client_id_metadata_document_supported true"] = walk => walk.DocumentAsync(),
        ["dpop_signing_alg_values_supported ES256"] = walk => walk.BindAsync("ES256"),
        ["dpop_signing_alg_values_supported PS256"] = walk => walk.BindAsync("PS256"),
        ["dpop_signing_alg_values_supported RS256"] = walk => walk.BindAsync("RS256"),

        ["scopes_supported mcp:read"] = walk => walk.ScopeAsync("mcp:read"),
        ["scopes_supported mcp:write"] = walk => walk.ScopeAsync("mcp:write"),
        ["scopes_supported mcp:destroy"] = walk => walk.ScopeAsync("mcp:destroy"),
        ["scopes_supported openid"] = walk => walk.SignInAsync("site", "openid"),
        ["scopes_supported profile"] = walk => walk.SignInAsync("site", "openid profile"),
        ["scopes_supported email"] = walk => walk.SignInAsync("site", "openid email"),
        ["scopes_supported offline_access"] = walk => walk.RefreshAsync(),
        ["protected_resources ISSUER/mcp/echo"] = walk => walk.ResourceAsync("echo"),
        // Whose tokens are references, which the walk cannot read.
        ["protected_resources ISSUER/mcp/files"] =
            By(nameof(FeedTests.An_application_takes_references_too_and_asks_what_they_mean)),
        ["protected_resources ISSUER/mcp/notes"] = walk => walk.ResourceAsync("notes"),

        ["prompt_values_supported none"] = walk => walk.PromptAsync("none"),
        ["prompt_values_supported login"] = walk => walk.PromptAsync("login"),
        ["prompt_values_supported consent"] = walk => walk.PromptAsync("consent"),
        ["prompt_values_supported select_account"] = walk => walk.PromptAsync("select_account"),
        ["subject_types_supported public"] = walk => walk.NamedAsync("site", isEverywhereTheSame: true),
        ["subject_types_supported pairwise"] = walk => walk.NamedAsync("pair", isEverywhereTheSame: false),
        ["id_token_signing_alg_values_supported RS256"] = walk => walk.SignedIdTokenAsync("site", "RS256"),
        ["id_token_signing_alg_values_supported ES256"] = walk => walk.SignedIdTokenAsync("pair", "ES256"),
        ["userinfo_signing_alg_values_supported RS256"] = walk => walk.UserInfoAsync("pair", "RS256"),
        ["userinfo_signing_alg_values_supported ES256"] = walk => walk.UserInfoAsync("ecs", "ES256"),
        [$"acr_values_supported {Acr.Password}"] = walk => walk.TellsAsync("acr", ("acr_values", Acr.Password)),
        [$"acr_values_supported {Acr.Passkey}"] = _ => Walker.ByPasskeyAsync(),
        ["backchannel_logout_supported true"] = walk => walk.LogoutAsync(),
        ["backchannel_logout_session_supported true"] = walk => walk.LogoutAsync(),
        ["claim_types_supported normal"] = walk => walk.TellsAsync("email"),
        ["claims_parameter_supported true"] = walk => walk.TellsAsync("name"),
        ["claims_supported iss"] = walk => walk.TellsAsync("iss"),
        ["claims_supported sub"] = walk => walk.TellsAsync("sub"),
        ["claims_supported aud"] = walk => walk.TellsAsync("aud"),
        ["claims_supported exp"] = walk => walk.TellsAsync("exp"),
        ["claims_supported iat"] = walk => walk.TellsAsync("iat"),
        ["claims_supported auth_time"] = walk => walk.TellsAsync("auth_time"),
        ["claims_supported nonce"] = walk => walk.TellsAsync("nonce"),
        ["claims_supported at_hash"] = walk => walk.TellsAsync("at_hash"),
        ["claims_supported acr"] = walk => walk.TellsAsync("acr"),
        ["claims_supported amr"] = walk => walk.TellsAsync("amr"),
        ["claims_supported sid"] = walk => walk.TellsAsync("sid"),
        ["claims_supported name"] = walk => walk.TellsAsync("name"),
        ["claims_supported email"] = walk => walk.TellsAsync("email"),
        ["claims_supported email_verified"] = walk => walk.TellsAsync("email_verified"),

        ["resource: resource ISSUER/mcp/echo"] = walk => walk.ResourceAsync("echo"),
        ["resource: authorization_servers ISSUER"] = walk => walk.ResourceAsync("echo"),
        ["resource: scopes_supported mcp:read"] = walk => walk.ScopeAsync("mcp:read"),
        ["resource: scopes_supported mcp:write"] = walk => walk.ScopeAsync("mcp:write"),
        ["resource: scopes_supported mcp:destroy"] = walk => walk.ScopeAsync("mcp:destroy"),
        ["resource: bearer_methods_supported header"] = walk => walk.CallAsync(),
        ["resource: dpop_signing_alg_values_supported ES256"] = walk => walk.BoundCallAsync(),
        ["resource: dpop_signing_alg_values_supported PS256"] = walk => walk.BindAsync("PS256"),
        ["resource: dpop_signing_alg_values_supported RS256"] = walk => walk.BindAsync("RS256"),
        ["resource: authorization_details_types_supported mcp_tool"] = walk => walk.DetailAsync(
            """{"type":"mcp_tool","locations":["NOTES"],"actions":["read_note"]}"""),
        ["resource: resource_name echo"] = walk => walk.ResourceAsync("echo"),
    };

    /// <summary>Shown by another test, which the compiler knows by this name: <c>By(nameof(Other.Test))</c>.</summary>
    public static Func<Walker, Task> By(string test) =>
        _ => test is "" ? throw new ArgumentException("No test is named.", nameof(test)) : Task.CompletedTask;
}
