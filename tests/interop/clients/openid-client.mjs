#!/usr/bin/env node
// openid-client: discovery, then code with PKCE and refresh (--flow code), client credentials (--flow credentials), or a
// question that a person answers elsewhere (--flow device, --flow backchannel).
import * as oidc from "openid-client";
import { agree } from "./person.mjs";
import { claimsOf, options, remembering, report, serverUrl } from "./report.mjs";

const settings = options();
const resource = serverUrl(settings).href;

await report(async seen => {
  seen.steps = [];
  const authentication = settings["client-secret"] ? oidc.ClientSecretBasic(settings["client-secret"]) : oidc.None();
  const config = await oidc.discovery(new URL(settings.base), settings["client-id"], undefined, authentication, {
    execute: [oidc.allowInsecureRequests],
    [oidc.customFetch]: remembering(seen.steps),
  });
  seen.issuer = config.serverMetadata().issuer;
  const keys = settings.dpop ? await oidc.randomDPoPKeyPair("ES256") : undefined;
  const holder = keys && { DPoP: oidc.getDPoPHandle(config, keys) };
  await ({ credentials, device, backchannel }[settings.flow] ?? code)(config, seen, holder);
});

async function credentials(config, seen, holder) {
  const scope = settings.scope ?? "mcp:read";
  const tokens = await oidc.clientCredentialsGrant(config, { scope, resource }, holder);
  seen.token = described(tokens);
}

async function device(config, seen, holder) {
  const asked = await oidc.initiateDeviceAuthorization(config, { scope: settings.scope ?? "mcp:read", resource });
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, asked, { resource }, holder);
  seen.token = described(tokens);
}

async function backchannel(config, seen, holder) {
  const scope = settings.scope ?? "openid mcp:read";
  const parameters = { scope, resource, login_hint: settings.email, binding_message: "Table 12" };
  const asked = await oidc.initiateBackchannelAuthentication(config, parameters);
  const tokens = await oidc.pollBackchannelAuthenticationGrant(config, asked, { resource }, holder);
  seen.token = described(tokens);
}

async function code(config, seen, holder) {
  const verifier = oidc.randomPKCECodeVerifier();
  const scope = settings.scope ?? "openid offline_access mcp:read";
  const isOpenId = scope.split(" ").includes("openid");
  const [expectedState, expectedNonce] = [oidc.randomState(), isOpenId ? oidc.randomNonce() : undefined];
  const parameters = {
    redirect_uri: settings.redirect,
    scope,
    resource,
    state: expectedState,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    // OpenID Connect Core §11: offline access is asked for together with the person's consent.
    prompt: "consent",
    ...(expectedNonce && { nonce: expectedNonce }),
  };
  const url = settings.par
    ? await oidc.buildAuthorizationUrlWithPAR(config, parameters, holder)
    : oidc.buildAuthorizationUrl(config, parameters);
  const { email, password, redirect, boxes } = settings;
  const { callback, pages } = await agree(url, { email, password, redirectUri: redirect, boxes: JSON.parse(boxes) });
  seen.pages = pages;

  const checks = { pkceCodeVerifier: verifier, expectedState, expectedNonce };
  const tokens = await oidc.authorizationCodeGrant(config, callback, checks, { resource }, holder);
  seen.token = described(tokens);
  seen.idToken = tokens.claims();
  if (isOpenId) {
    seen.userinfo = await userinfo(config, tokens, holder);
  }

  if (tokens.refresh_token) {
    const next = await oidc.refreshTokenGrant(config, tokens.refresh_token, { resource }, holder);
    seen.refreshed = { ...described(next), rotated: next.refresh_token !== tokens.refresh_token };
    await oidc.tokenRevocation(config, next.refresh_token);
    seen.afterRevocation = await oidc.refreshTokenGrant(config, next.refresh_token, { resource }, holder).then(
      () => "still refreshes",
      error => error.error ?? error.code);
  }
}

/** A token is good at one resource, so the one for an MCP server is no key to UserInfo; both answers are told. */
async function userinfo(config, tokens, holder) {
  return oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, holder).then(
    claims => claims,
    error => ({ refused: error.cause?.status ?? error.status ?? error.code, message: error.message }));
}

function described(tokens) {
  return {
    type: tokens.token_type,
    scope: tokens.scope,
    expiresIn: tokens.expires_in,
    refreshable: !!tokens.refresh_token,
    ...claimsOf(tokens.access_token),
  };
}
