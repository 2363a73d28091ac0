#!/usr/bin/env node
// oauth4webapi as strict as it can be, step by step: private_key_jwt, a signed request that is pushed with a proof, a
// signed answer, UserInfo or authorization details, introspection, revocation.
//   --key '{"kty":"EC",…,"d":…}' [--details '[{"type":…}]']
import * as oauth from "oauth4webapi";
import { agree } from "./person.mjs";
import { options, remembering, report, serverUrl } from "./report.mjs";

const settings = options();
const target = settings.details && { resource: serverUrl(settings).href, authorization_details: settings.details };
const client = { client_id: settings["client-id"] };

await report(async seen => {
  seen.steps = [];
  const open = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: remembering(seen.steps) };
  const issuer = new URL(settings.base);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, open));
  const jwk = JSON.parse(settings.key);
  const algorithm = { name: "ECDSA", namedCurve: jwk.crv };
  const signing = { key: await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]), kid: jwk.kid };
  const proof = oauth.PrivateKeyJwt(signing);
  const bound = { ...open, DPoP: oauth.DPoP(client, await oauth.generateKeyPair("ES256")) };

  const tokens = await letIn({ server, signing, proof, open, bound });
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  Object.assign(seen, { idToken: claims, details: tokens.authorization_details, type: tokens.token_type });
  if (!target) {
    const answer = await oauth.userInfoRequest(server, client, tokens.access_token, bound);
    seen.userinfo = await oauth.processUserInfoResponse(server, client, claims.sub, answer);
  }

  seen.introspected = await introspected(server, proof, tokens.access_token, open);
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, proof, tokens.refresh_token, open));
  seen.afterRevocation = await introspected(server, proof, tokens.access_token, open);
});

async function letIn({ server, signing, proof, open, bound }) {
  const [verifier, state, nonce] =
    [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
  const parameters = {
    response_type: "code",
    response_mode: "jwt",
    redirect_uri: settings.redirect,
    scope: settings.scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    prompt: "consent",
    ...target,
  };
  const request = await oauth.issueRequestObject(server, client, parameters, signing);
  const { request_uri } = await again(async () => oauth.processPushedAuthorizationResponse(
    server, client, await oauth.pushedAuthorizationRequest(server, client, proof, { request }, bound)));
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({ client_id: client.client_id, request_uri });

  const { email, password, redirect, boxes } = settings;
  const { callback } = await agree(url, { email, password, redirectUri: redirect, boxes: JSON.parse(boxes) });
  const answered = await oauth.validateJwtAuthResponse(server, client, callback, state, open);
  return again(async () => {
    const answer = await oauth.authorizationCodeGrantRequest(
      server, client, proof, answered, redirect, verifier, bound);
    return oauth.processAuthorizationCodeResponse(
      server, client, answer, { expectedNonce: nonce, requireIdToken: true });
  });
}

async function introspected(server, proof, token, open) {
  const answer = await oauth.introspectionRequest(server, client, proof, token, open);
  return oauth.processIntrospectionResponse(server, client, answer);
}

/** RFC 9449 §8: the library keeps the nonce of the refusal; to ask once more is the caller's. */
async function again(act) {
  try {
    return await act();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) {
      throw error;
    }

    return act();
  }
}
