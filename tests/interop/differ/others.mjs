// What is answered everywhere else: introspection, revocation, devices, UserInfo, proofs, logout, registration; and
// what tokens say.
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { claims, web } from "./asker.mjs";

const identity = { resource: null, scope: "openid email offline_access" };
const device = "urn:ietf:params:oauth:grant-type:device_code";
const json = body => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const self = { redirect_uris: ["https://self.example/cb"] };
const register = members => at => at.send("registration_endpoint", json(members));

const introspected = fields => at => at.post("introspection_endpoint", fields);
const revoked = fields => at => at.post("revocation_endpoint", fields);
const polled = async (at, device_code, client_id = "tv") =>
  at.post("token_endpoint", { grant_type: device, device_code, client_id });
const offer = (at, client_id = "tv") =>
  at.post("device_authorization_endpoint", { client_id, scope: "mcp:read", resource: at.resource });
const offered = async at => (await offer(at)).json();

/** A proof of a fresh key, with what a case changes. */
async function proof(at, { header = {}, payload = {} } = {}) {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  return new SignJWT({ htm: "POST", htu: at.metadata.token_endpoint, jti: crypto.randomUUID(), ...payload })
    .setIssuedAt()
    .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: await exportJWK(publicKey), ...header })
    .sign(privateKey);
}

const own = at => ({
  grant_type: "client_credentials", client_id: "bench", client_secret: "bench-secret-bench-secret-bench-1",
  scope: "mcp:read", resource: at.resource,
});
const proven = change => async at =>
  at.post("token_endpoint", own(at), { dpop: await fresh(at, change) });

/** The same with the nonce of the server. */
async function fresh(at, { header, payload } = {}) {
  const nonce = await at.nonce(own(at), () => proof(at));
  return proof(at, { header, payload: { nonce, ...payload } });
}

const logout = fields => async at => at.open("end_session_endpoint", await fields(at));

export const others = {
  "claims of an ID token": async at => claims((await at.letIn()).id_token),
  "claims of an access token": async at => claims((await at.letIn()).access_token),

  "introspect an access token": async at => {
    const { client_id, client_secret } = own(at);
    const { access_token } = await (await at.post("token_endpoint", own(at))).json();
    return introspected({ token: access_token, client_id, client_secret })(at);
  },
  "introspect nonsense": introspected({ token: "x", ...web }),
  "introspect nothing": introspected({ ...web }),
  "introspect without a secret": introspected({ token: "x", client_id: "web" }),
  "introspect as a public client": introspected({ token: "x", client_id: "app" }),

  "revoke a refresh token": async at => revoked({ token: (await at.letIn()).refresh_token, client_id: "app" })(at),
  "revoke another client's token": async at => revoked({ token: (await at.letIn()).refresh_token, ...web })(at),
  "revoke nonsense": revoked({ token: "x", ...web }),
  "revoke nothing": revoked({ ...web }),
  "revoke with a wrong secret": revoked({ token: "x", client_id: "web", client_secret: "wrong" }),

  "device": at => offer(at),
  "device of an unknown client": at => offer(at, "nobody"),
  "device of a client that is none": at => offer(at, "app"),
  "device polls before the answer": async at => polled(at, (await offered(at)).device_code),
  "device polls twice at once": async at => {
    const { device_code } = await offered(at);
    await polled(at, device_code);
    return polled(at, device_code);
  },
  "device polls with nonsense": at => polled(at, "x"),
  "device polls as another client": async at => polled(at, (await offered(at)).device_code, "app"),

  "userinfo": async at => told(at, (await at.letIn(identity)).access_token),
  "userinfo by POST": async at => told(at, (await at.letIn(identity)).access_token, "POST"),
  "userinfo without a token": at => at.send("userinfo_endpoint", {}),
  "userinfo with nonsense": at => told(at, "x"),
  "userinfo with the token of a resource": async at => told(at, (await at.letIn()).access_token),
  "userinfo with a token in the address": async at =>
    at.open("userinfo_endpoint", { access_token: (await at.letIn(identity)).access_token }),

  "proof": proven(),
  "proof twice": async at => {
    const dpop = await fresh(at);
    await at.post("token_endpoint", own(at), { dpop });
    return at.post("token_endpoint", own(at), { dpop });
  },
  "proof for another method": proven({ payload: { htm: "GET" } }),
  "proof for another place": proven({ payload: { htu: "https://elsewhere.example/token" } }),
  "proof of another type": proven({ header: { typ: "jwt" } }),
  "proof without jti": proven({ payload: { jti: undefined } }),
  "proof that is nonsense": at => at.post("token_endpoint", own(at), { dpop: "x" }),

  "log out with nothing": logout(async () => ({})),
  "log out with an ID token": logout(async at => ({ id_token_hint: (await at.letIn(identity)).id_token })),
  "log out with nonsense": logout(async () => ({ id_token_hint: "a.b.c" })),
  "log out to an address nobody registered": logout(async at =>
    ({ client_id: "app", post_logout_redirect_uri: "https://evil.example/bye" })),

  "register": register(self),
  "register a public client": register({ ...self, token_endpoint_auth_method: "none" }),
  "register without redirect_uris": register({}),
  "register a redirect_uri with a fragment": register({ redirect_uris: ["https://self.example/cb#a"] }),
  "register a redirect_uri that is no URL": register({ redirect_uris: ["x"] }),
  "register an unknown way to prove oneself": register({ ...self, token_endpoint_auth_method: "nonsense" }),
  "register what is no object": at => at.send("registration_endpoint", json([])),
  "register by a form": at => at.post("registration_endpoint", { a: "b" }),
};

function told(at, token, method = "GET") {
  return at.send("userinfo_endpoint", { method, headers: { authorization: `Bearer ${token}` } });
}
