// What is answered to authorization requests, by address, pushed and signed.
import { SignJWT, generateKeyPair, importJWK } from "jose";
import { secret, web } from "./asker.mjs";

const asked = changes => async at =>
  at.open("authorization_endpoint", at.authorization(changes).parameters);
const pushed = (changes, fields = web) => async at =>
  at.post("pushed_authorization_request_endpoint", { ...at.authorization(changes).parameters, ...fields });

const foreignKey = async () => (await generateKeyPair("ES256")).privateKey;

/** A request of `keyed` that is signed; by its own key (--key) or another, with a change to header or claims. */
const signed = ({ claims = {}, header = {}, isForeign = false } = {}) => async at => {
  const now = Math.floor(Date.now() / 1000);
  const { parameters } = at.authorization({ client_id: "keyed", ...claims });
  const whole = { iss: "keyed", aud: at.metadata.issuer, nbf: now, exp: now + 60, ...parameters, ...claims };
  const request = await new SignJWT(JSON.parse(JSON.stringify(whole)))
    .setProtectedHeader({ alg: "ES256", typ: "oauth-authz-req+jwt", ...header })
    .sign(await (isForeign ? foreignKey() : importJWK(JSON.parse(at.settings.key), "ES256")));
  const { redirect_uri, scope } = parameters;
  return at.open("authorization_endpoint", {
    client_id: "keyed", response_type: "code", redirect_uri, scope, request,
  });
};

export const authorize = {
  "authorize": asked({}),
  "authorize without response_type": asked({ response_type: null }),
  "authorize with response_type=token": asked({ response_type: "token" }),
  "authorize with response_type=code id_token": asked({ response_type: "code id_token" }),
  "authorize with an unknown client": asked({ client_id: "nobody" }),
  "authorize without client_id": asked({ client_id: null }),
  "authorize with another redirect_uri": asked({ redirect_uri: "https://evil.example/cb" }),
  "authorize without redirect_uri, of which there is one": asked({ redirect_uri: null }),
  "authorize without code_challenge": asked({ code_challenge: null }),
  "authorize with code_challenge_method=plain": asked({ code_challenge_method: "plain" }),
  "authorize with a code_challenge that is too short": asked({ code_challenge: "abc" }),
  "authorize with a scope nobody knows": asked({ scope: "nonsense" }),
  "authorize with a malformed scope": asked({ scope: 'mcp:"read"' }),
  "authorize with an unknown resource": asked({ resource: "https://elsewhere.example/mcp" }),
  "authorize with a fragment in the resource": asked({ resource: "https://elsewhere.example/#a" }),
  "authorize with prompt=none and nobody there": asked({ prompt: "none" }),
  "authorize with prompt=none consent": asked({ prompt: "none consent" }),
  "authorize with response_mode=fragment": asked({ response_mode: "fragment" }),
  "authorize with response_mode=nonsense": asked({ response_mode: "nonsense" }),
  "authorize with an error by form_post": asked({ response_mode: "form_post", code_challenge: null }),
  "authorize with an error by jwt": asked({ response_mode: "jwt", code_challenge: null }),
  "authorize with max_age=soon": asked({ max_age: "soon" }),
  "authorize with claims that are no JSON": asked({ claims: "x" }),
  "authorize with an id_token_hint that is none": asked({ id_token_hint: "a.b.c" }),
  "authorize with a request that is no JWT": asked({ request: "x" }),
  "authorize with a request_uri elsewhere": asked({ request_uri: "https://elsewhere.example/r" }),
  "authorize with a request_uri nobody pushed": asked({ request_uri: "urn:ietf:params:oauth:request_uri:x" }),
  "authorize with a dpop_jkt that is no thumbprint": asked({ dpop_jkt: "x" }),
  "authorize with state twice": async at => {
    const url = at.url("authorization_endpoint", at.authorization().parameters);
    return fetch(`${url}&state=t`, { redirect: "manual" });
  },

  "authorize, signed": signed(),
  "authorize, signed with another key": signed({ isForeign: true }),
  "authorize, signed for another server": signed({ claims: { aud: "https://elsewhere.example" } }),
  "authorize, signed by another client": signed({ claims: { iss: "app" } }),
  "authorize, signed and expired": signed({ claims: { exp: 1 } }),
  "authorize, signed without an end": signed({ claims: { exp: undefined } }),
  "authorize, signed with another typ": signed({ header: { typ: "at+jwt" } }),
  "authorize, signed, with an error": signed({ claims: { code_challenge: undefined } }),

  "push": pushed({}),
  "push without a secret": pushed({}, { client_id: "web" }),
  "push with a wrong secret": pushed({}, { client_id: "web", client_secret: `${secret}x` }),
  "push without code_challenge": pushed({ code_challenge: null }),
  "push with response_type=token": pushed({ response_type: "token" }),
  "push with another redirect_uri": pushed({ redirect_uri: "https://evil.example/cb" }),
  "push with a request_uri": pushed({ request_uri: "urn:ietf:params:oauth:request_uri:x" }),
  "push with a request that is no JWT": pushed({ request: "x" }),
  "push by GET": at => at.open("pushed_authorization_request_endpoint", {}),
  "authorize what was pushed": async at => at.open("authorization_endpoint", await reference(at, "web")),
  "authorize what another client pushed": async at => at.open("authorization_endpoint", await reference(at, "app")),
};

async function reference(at, client) {
  const { request_uri } = await (await pushed({})(at)).json();
  return { client_id: client, request_uri };
}
