// What is answered to those who manage a registration, to resource servers that want a signed answer, and to requests
// in detail; and to whoever exchanges a token.
import { claims, secret, web } from "./asker.mjs";

const self = { redirect_uris: ["https://self.example/cb"] };
const watch = { client_id: "watch", client_secret: secret };
const signed = { accept: "application/token-introspection+jwt" };
const exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessToken = "urn:ietf:params:oauth:token-type:access_token";
const detail = at => JSON.stringify([{ type: "mcp_tool", locations: [at.resource], actions: ["list"] }]);

const json = (method, body, token) => ({
  method,
  headers: {
    ...(body && { "content-type": "application/json" }),
    ...(token && { authorization: `Bearer ${token}` }),
  },
  ...(body && { body: JSON.stringify(body) }),
});

const registered = async at => (await at.send("registration_endpoint", json("POST", self))).json();
const manage = (url, init) => fetch(url, { redirect: "manual", ...init });

/** A registration of its own, and what is done with it. */
const managed = act => async at => {
  const { registration_client_uri: url, registration_access_token: token, ...own } = await registered(at);
  return act(url, token, own, at);
};

const replaced = change => managed((url, token, { client_id }) =>
  manage(url, json("PUT", { ...self, client_id, ...change }, token)));

const revoked = (pick, more = {}) => async at =>
  at.post("revocation_endpoint", { token: pick(await at.letIn()), client_id: "app", ...more });

const exchanged = changes => async at => at.post("token_endpoint", {
  grant_type: exchange, subject_token: "x", subject_token_type: accessToken, ...web, ...changes,
});

const asked = changes => async at => at.open("authorization_endpoint", at.authorization(changes).parameters);
const pushed = changes => async at => at.post(
  "pushed_authorization_request_endpoint", { ...at.authorization(changes).parameters, ...web });
const inDetail = ask => at => ask({ authorization_details: detail(at) })(at);

export const more = {
  "manage: read": managed((url, token) => manage(url, json("GET", null, token))),
  "manage: read without a token": managed(url => manage(url)),
  "manage: read with another's token": managed(async (url, _, __, at) =>
    manage(url, json("GET", null, (await registered(at)).registration_access_token))),
  "manage: read with the client's secret": managed((url, _, { client_secret }) =>
    manage(url, json("GET", null, client_secret))),
  "manage: replace": replaced({ client_name: "Another" }),
  "manage: replace without client_id": replaced({ client_id: undefined }),
  "manage: replace another": replaced({ client_id: "another" }),
  "manage: replace with a secret of its own choice": replaced({ client_secret: "my-own-secret-my-own-secret" }),
  "manage: replace what only the server says": replaced({ client_id_issued_at: 1 }),
  "manage: replace without redirect_uris": replaced({ redirect_uris: undefined }),
  "manage: remove": managed((url, token) => manage(url, json("DELETE", null, token))),
  "manage: read after removal": managed(async (url, token) => {
    await manage(url, json("DELETE", null, token));
    return manage(url, json("GET", null, token));
  }),

  "introspect nonsense, signed": at => at.post("introspection_endpoint", { token: "x", ...watch }, signed),
  "introspect nonsense, signed, header": async at => header(await introspected(at)),
  "introspect nonsense, signed, claims": async at => claims(await introspected(at)),
  "introspect nonsense, signed, of a client that signs nothing": at =>
    at.post("introspection_endpoint", { token: "x", ...web }, signed),

  "revoke an access token": revoked(tokens => tokens.access_token),
  "revoke with a hint that is wrong": revoked(tokens => tokens.refresh_token, { token_type_hint: "access_token" }),
  "revoke with a hint that nobody knows": revoked(tokens => tokens.refresh_token, { token_type_hint: "nonsense" }),
  "revoke without a client": revoked(tokens => tokens.refresh_token, { client_id: null }),
  "revoke, and refresh": async at => {
    const { refresh_token } = await at.letIn();
    await at.post("revocation_endpoint", { token: refresh_token, client_id: "app" });
    return at.post("token_endpoint", { grant_type: "refresh_token", refresh_token, client_id: "app" });
  },

  "exchange nonsense": exchanged(),
  "exchange without subject_token": exchanged({ subject_token: null }),

  "authorize in detail": inDetail(asked),
  "authorize in detail, no JSON": asked({ authorization_details: "x" }),
  "authorize in detail, of no type": asked({ authorization_details: JSON.stringify([{}]) }),
  "authorize in detail, of an unknown type": asked({ authorization_details: JSON.stringify([{ type: "x" }]) }),
  "authorize in detail, nothing": asked({ authorization_details: "[]" }),
  "push in detail": inDetail(pushed),
  "push in detail, of an unknown type": pushed({ authorization_details: JSON.stringify([{ type: "x" }]) }),
  "push with two resources": async at => at.post(
    "pushed_authorization_request_endpoint",
    [
      ...Object.entries({ ...at.authorization().parameters, ...web }),
      ["resource", "https://elsewhere.example/mcp"],
    ]),
  "authorize and be answered by jwt": asked({ response_mode: "jwt", prompt: "none" }),
  "authorize and be answered by query.jwt": asked({ response_mode: "query.jwt", prompt: "none" }),
  "authorize and be answered by form_post.jwt": asked({ response_mode: "form_post.jwt", prompt: "none" }),
  "authorize and be answered by fragment.jwt": asked({ response_mode: "fragment.jwt", prompt: "none" }),
  "claims of an answer by jwt": async at => {
    const answer = await asked({ response_mode: "jwt", prompt: "none" })(at);
    return claims(new URL(answer.headers.get("location")).searchParams.get("response"));
  },
};

const introspected = async at =>
  (await at.post("introspection_endpoint", { token: "x", ...watch }, signed)).text();

const header = jwt =>
  Object.keys(JSON.parse(Buffer.from(jwt.split(".")[0], "base64url"))).sort().join(" ");
