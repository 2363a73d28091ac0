// What is answered to token requests.
import { basic, secret, verifierOf, web } from "./asker.mjs";

const token = (fields, headers) => at => at.post("token_endpoint", fields, headers);

/** A code of `app`, redeemed with changes; what is done with the answer comes after. */
const redeemed = (changes = {}) => async at => at.post("token_endpoint", await redemption(at, changes));

async function redemption(at, changes = {}) {
  const { code, verifier } = await at.letIn({}, { isCode: true });
  return {
    grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: at.settings.redirect,
    client_id: "app", resource: at.resource, ...changes,
  };
}

const refreshed = (changes = {}) => async at => {
  const { refresh_token } = await at.letIn();
  return at.post("token_endpoint", { grant_type: "refresh_token", refresh_token, client_id: "app", ...changes });
};

const itself = { client_id: "bench", client_secret: "bench-secret-bench-secret-bench-1" };
const own = (at, changes = {}) => at.post("token_endpoint", {
  grant_type: "client_credentials", ...itself, scope: "mcp:read", resource: at.resource, ...changes,
});
const unknown = { grant_type: "refresh_token", refresh_token: "x" };

export const tokens = {
  "token without grant_type": token({ ...web }),
  "token with an unknown grant_type": token({ grant_type: "nonsense", ...web }),
  "token with grant_type=password": token({ grant_type: "password", username: "a", password: "b", ...web }),
  "token of an unknown client": token({ ...unknown, client_id: "nobody" }),
  "token without a client": token(unknown),
  "token with a wrong secret in the body": token({ ...unknown, client_id: "web", client_secret: "wrong" }),
  "token with a wrong secret in the header": token(unknown, basic("web", "wrong")),
  "token with a secret in both places": token({ ...unknown, ...web }, basic("web", secret)),
  "token of a confidential client that proves nothing": token({ ...unknown, client_id: "web" }),
  "token by GET": at => at.open("token_endpoint", {}),
  "token by JSON": at => at.send(
    "token_endpoint", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }),
  "token with grant_type twice": at => at.post(
    "token_endpoint", [["grant_type", "refresh_token"], ["grant_type", "refresh_token"], ["client_id", "app"]]),

  "redeem a code": redeemed(),
  "redeem without code": redeemed({ code: null }),
  "redeem an unknown code": redeemed({ code: "x" }),
  "redeem without code_verifier": redeemed({ code_verifier: null }),
  "redeem with a wrong code_verifier": redeemed({ code_verifier: verifierOf() }),
  "redeem with another redirect_uri": redeemed({ redirect_uri: "https://evil.example/cb" }),
  "redeem without redirect_uri": redeemed({ redirect_uri: null }),
  "redeem with another resource": redeemed({ resource: "https://elsewhere.example/mcp" }),
  "redeem as another client": redeemed({ ...web }),
  "redeem a code twice": async at => {
    const fields = await redemption(at);
    await at.post("token_endpoint", fields);
    return at.post("token_endpoint", fields);
  },

  "refresh": refreshed(),
  "refresh for less": refreshed({ scope: "openid" }),
  "refresh for more": refreshed({ scope: "openid offline_access mcp:read mcp:destroy" }),
  "refresh with an unknown token": refreshed({ refresh_token: "x" }),
  "refresh without a token": refreshed({ refresh_token: null }),
  "refresh as another client": refreshed({ ...web }),
  "refresh with a token from two refreshes ago": async at => {
    const { refresh_token: first } = await at.letIn();
    const next = async refresh_token =>
      (await at.post("token_endpoint", { grant_type: "refresh_token", refresh_token, client_id: "app" })).json();
    await next((await next(first)).refresh_token);
    return at.post("token_endpoint", { grant_type: "refresh_token", refresh_token: first, client_id: "app" });
  },

  "client credentials": at => own(at),
  "client credentials with an unknown scope": at => own(at, { scope: "nonsense" }),
  "client credentials for an unknown resource": at =>
    own(at, { scope: null, resource: "https://elsewhere.example/mcp" }),
  "client credentials of a client without them": token({ grant_type: "client_credentials", ...web }),
  "client credentials of a client without a secret": token({ grant_type: "client_credentials", client_id: "app" }),
};
