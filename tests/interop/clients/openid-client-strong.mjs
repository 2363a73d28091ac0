#!/usr/bin/env node
// openid-client as strict as it can be: private_key_jwt, a signed request that is pushed with a proof (JAR, PAR, DPoP),
// a signed answer (JARM), and with the tokens UserInfo or authorization details, introspection, refresh, logout.
//   --key '{"kty":"EC",…,"d":…}' [--details '[{"type":…}]']
import * as oidc from "openid-client";
import { agree } from "./person.mjs";
import { claimsOf, options, remembering, report, serverUrl } from "./report.mjs";

const settings = options();
const target = settings.details && { resource: serverUrl(settings).href, authorization_details: settings.details };

await report(async seen => {
  seen.steps = [];
  const jwk = JSON.parse(settings.key);
  const signing = { key: await importKey(jwk), kid: jwk.kid };
  const config = await oidc.discovery(
    new URL(settings.base), settings["client-id"], undefined, oidc.PrivateKeyJwt(signing), {
      execute: [oidc.allowInsecureRequests, oidc.useJwtResponseMode],
      [oidc.customFetch]: remembering(seen.steps),
    });
  const holder = { DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256")) };
  const { tokens, browser } = await letIn(config, signing, holder);
  seen.token = { type: tokens.token_type, scope: tokens.scope, ...claimsOf(tokens.access_token) };
  seen.details = tokens.authorization_details;
  seen.idToken = tokens.claims();
  if (!target) {
    seen.userinfo = await oidc.fetchUserInfo(config, tokens.access_token, seen.idToken.sub, holder);
  }

  seen.introspected = await oidc.tokenIntrospection(config, tokens.access_token);
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, holder);
  seen.refreshed = next.refresh_token !== tokens.refresh_token;
  await oidc.tokenRevocation(config, next.refresh_token);
  seen.afterRevocation = await oidc.tokenIntrospection(config, next.access_token);
  seen.loggedOut = await logOut(config, tokens, browser);
});

function importKey(jwk) {
  return crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: jwk.crv }, false, ["sign"]);
}

async function letIn(config, signing, holder) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  const signed = await oidc.buildAuthorizationUrlWithJAR(config, {
    redirect_uri: settings.redirect,
    scope: settings.scope,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    prompt: "consent",
    ...target,
  }, signing);
  const url = await oidc.buildAuthorizationUrlWithPAR(config, signed.searchParams, holder);
  const { email, password, redirect, boxes } = settings;
  const { callback, browser } = await agree(url, { email, password, redirectUri: redirect, boxes: JSON.parse(boxes) });
  const checks = { pkceCodeVerifier, expectedState, expectedNonce };
  return { tokens: await oidc.authorizationCodeGrant(config, callback, checks, undefined, holder), browser };
}

async function logOut(config, tokens, browser) {
  const url = oidc.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: settings.redirect,
    state: "bye",
  });
  const { callback } = await browser.open(url);
  return callback?.searchParams.get("state") ?? "not sent back";
}
