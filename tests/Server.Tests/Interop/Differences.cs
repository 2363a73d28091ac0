namespace Postern.Tests.Interop;

/// <summary>Why this server answers otherwise than <c>oidc-provider</c>, request by request.</summary>
internal static class Differences
{
    private const string
        Details = "Postern says which tools a grant holds, as authorization details (RFC 9396 §7).",
        OwnError = "RFC 6749 §5.2 and §4.1.2.1 have an error of its own for it.",
        Verb = "The path is there; the verb is not (RFC 9110 §15.5.6).",
        NoBody = "RFC 6750 §3 says it in the header, and Postern says it there alone.",
        Unproven = "A reference that is not good may be anybody's, so that a person is told and nothing is redirected.",
        Unbelieved =
            "What is not believed has no state that could be repeated, and what stands beside it counts for nothing.",
        NoKeys = "The client has no keys, and so signs nothing that could be read.",
        Registered = "Postern answers with what was registered or decided, and not with the defaults of standards.",
        Shown = "A person is at this endpoint, and is shown a page.",
        Interval = "Postern says how often to ask.",
        Wait = "CIBA Core §11 wants the client to wait, as RFC 8628 §3.5 does.",
        OpenIdScope = "CIBA Core §13: a scope that is missing or wrong is `invalid_scope`.",
        Metadata = "RFC 7591 §3.2.2 has `invalid_client_metadata` for it.",
        NoSecret = "Postern keeps no secret that it could repeat, and answers without the defaults of standards.",
        NoExchange =
            "The peer has no token exchange. Postern has it, for clients that are registered for it; this one is not.";

    public static readonly Dictionary<string, string> Reasons = new(StringComparer.Ordinal)
    {
        ["authorize with response_type=code id_token"] = OwnError,
        ["authorize without redirect_uri, of which there is one"] =
            "OpenID Connect Core §3.1.2.1 demands it; the request has `openid`.",
        ["authorize with a scope nobody knows"] =
            "The peer misses `openid` besides; Postern says that no scope is left.",
        ["authorize with an unknown resource"] = "RFC 8707 §2; the peer of these tests has a token for every resource.",
        ["authorize with prompt=none and nobody there"] =
            "It asks for tools, which nobody is let use without being asked: signing in would not help.",
        ["authorize with response_mode=fragment"] = "A code in a fragment is for clients that Postern does not serve.",
        ["authorize with response_mode=nonsense"] = "`unsupported_response_mode` is in no registry.",
        ["authorize with an error by form_post"] = "The page that posts is no error of the browser's; so it stays 200.",
        ["authorize with claims that are no JSON"] = "The peer has the parameter switched off, and does not look.",
        ["authorize with a request that is no JWT"] = NoKeys,
        ["authorize with a request_uri nobody pushed"] = Unproven,
        ["authorize what another client pushed"] = Unproven,
        ["authorize with a dpop_jkt that is no thumbprint"] = "The peer finds it at the token endpoint.",
        ["authorize with state twice"] =
            "With two opinions on what was asked, nobody knows whom to answer (RFC 6749 §3.1).",
        ["authorize, signed with another key"] = Unbelieved,
        ["authorize, signed for another server"] = Unbelieved,
        ["authorize, signed by another client"] = Unbelieved,
        ["authorize, signed and expired"] = Unbelieved,
        ["authorize, signed without an end"] = "FAPI 2.0 Message Signing §5.3.1 wants `exp`.",
        ["authorize, signed with another typ"] = "RFC 9101 §10.8: an access token is no request.",
        ["push with a request_uri"] = "RFC 9126 §2.1 refuses it as such; other references are not the point.",
        ["push with a request that is no JWT"] = NoKeys,
        ["push by GET"] = Verb,
        ["token by GET"] = Verb,
        ["token without a client"] = "No client was proven, which is `invalid_client` (RFC 6749 §5.2).",
        ["token with a wrong secret in the header"] = "The challenge names the scheme; the error is in the body.",
        ["redeem a code"] = Details,
        ["redeem without redirect_uri"] = "OAuth 2.1 §4.1.3 does not ask for it any more. " + Details,
        ["refresh"] = Details,
        ["refresh for less"] = Details,
        ["client credentials with an unknown scope"] = "The peer gives a token for nothing.",
        ["client credentials for an unknown resource"] = "The peer of these tests has a token for every resource.",
        ["client credentials of a client without them"] = OwnError,
        ["client credentials of a client without a secret"] = OwnError,
        ["claims of an ID token"] =
            "Postern says how and when the person signed in, in which session, and for which token.",
        ["claims of an access token"] = "Postern says how and when the person signed in, and what the grant holds.",
        ["introspect an access token"] = "The peer asks resource servers to read JWTs themselves.",
        ["introspect without a secret"] = "RFC 9701 §5: 400 where nothing is shown, 401 where it is wrong.",
        ["introspect as a public client"] = "RFC 7662 §4: who proves nothing learns nothing.",
        ["revoke another client's token"] = "The answer must not say whether a token is there (RFC 7009 §2.2).",
        ["revoke nothing"] = "No error is kept by a cache.",
        ["revoke with a wrong secret"] = "No error is kept by a cache.",
        ["device"] = "Postern says how often to ask.",
        ["device of a client that is none"] = OwnError,
        ["device polls twice at once"] = "RFC 8628 §3.5 wants the client to wait.",
        ["device polls as another client"] = OwnError,
        ["userinfo"] = "The peer of these tests keeps no claims.",
        ["userinfo by POST"] = "The peer of these tests keeps no claims.",
        ["userinfo without a token"] = NoBody,
        ["userinfo with nonsense"] = NoBody,
        ["userinfo with the token of a resource"] = NoBody,
        ["userinfo with a token in the address"] = NoBody,
        ["proof twice"] = "RFC 9449 §5 names `invalid_dpop_proof`.",
        ["log out with nonsense"] = Shown,
        ["log out to an address nobody registered"] = Shown,
        ["register"] = Registered,
        ["register a public client"] = Registered,
        ["register what is no object"] = Metadata,
        ["register by a form"] = Metadata,
        ["backchannel"] = Interval,
        ["backchannel, ping"] = Interval,
        ["backchannel with an id_token_hint that is none"] =
            "Whom it names is not known, which is `unknown_user_id` (CIBA Core §13).",
        ["backchannel without openid"] = OpenIdScope,
        ["backchannel without a scope"] = OpenIdScope,
        ["backchannel of a client that is none"] = OwnError,
        ["backchannel of a public client"] = OwnError,
        ["backchannel for an unknown resource"] =
            "RFC 8707 §2; the peer of these tests has a token for every resource.",
        ["backchannel by GET"] = Verb,
        ["backchannel polls twice at once"] = Wait,
        ["backchannel polls after the answer"] = Details,
        ["certificate, tls_client_auth, that is none"] =
            "It is the proxy that has said what cannot be read (RFC 9440 §2.1), so that the request goes no further.",
        ["certificate, bound token, claims"] = "Postern says of which grant the token is.",
        ["manage: read"] = NoSecret,
        ["manage: replace"] = NoSecret,
        ["manage: read without a token"] = NoBody,
        ["manage: read with another's token"] = NoBody,
        ["manage: read with the client's secret"] = NoBody,
        ["manage: read after removal"] = NoBody,
        ["manage: replace without client_id"] = Metadata,
        ["manage: replace another"] = Metadata,
        ["manage: replace with a secret of its own choice"] = Metadata,
        ["manage: replace what only the server says"] = Metadata,
        ["manage: remove"] = "No cache keeps an answer to DELETE (RFC 9110 §9.3.5).",
        ["introspect nonsense, signed, of a client that signs nothing"] =
            "RFC 9701 §5: a signed answer is for a resource server. This client is none, and may ask of its own "
            + "tokens.",
        ["revoke an access token"] =
            "The peer lets JWTs live until they run out; Postern ends them (RFC 7009 §2), and tells resource servers.",
        ["revoke without a client"] = "No client was proven, which is `invalid_client` (RFC 6749 §5.2).",
        ["exchange nonsense"] = NoExchange,
        ["exchange without subject_token"] = NoExchange,
        ["authorize in detail, nothing"] =
            "RFC 9396 §2 wants objects in it; an empty list asks for nothing that could be granted.",
        ["push with two resources"] = "One grant is for one resource (RFC 8707 §2 lets a server say so).",
        ["authorize and be answered by form_post.jwt"] =
            "The page that posts is no error of the browser's; so it stays 200.",
        ["authorize and be answered by fragment.jwt"] =
            "A code in a fragment is for clients that Postern does not serve.",
    };
}
