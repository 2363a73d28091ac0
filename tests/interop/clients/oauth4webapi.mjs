#!/usr/bin/env node
// oauth4webapi: the same flows step by step, with its validateJwtAccessToken as the judge of RFC 9068 (and of DPoP).
import * as oauth from "oauth4webapi";
import { agree } from "./person.mjs";
import { options, remembering, report, serverUrl } from "./report.mjs";

const settings = options();
const resource = serverUrl(settings).href;

await report(async seen => {
  seen.steps = [];
  const open = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: remembering(seen.steps) };
  const issuer = new URL(settings.base);
  const server = await oauth.processDiscoveryResponse(
    issuer, await oauth.discoveryRequest(issuer, { ...open, algorithm: "oauth2" }));
  seen.issuer = server.issuer;
  seen.resourceMetadata = await resourceMetadata(open);

  const client = { client_id: settings["client-id"] };
  const authentication = settings["client-secret"] ? oauth.ClientSecretBasic(settings["client-secret"]) : oauth.None();
  const keys = settings.dpop ? await oauth.generateKeyPair("ES256") : undefined;
  const bound = { ...open, ...(keys && { DPoP: oauth.DPoP(client, keys) }) };
  const flow = settings.flow === "credentials" ? credentials : code;
  const tokens = await flow({ server, client, authentication, bound, seen });
  seen.token = { type: tokens.token_type, scope: tokens.scope, expiresIn: tokens.expires_in };
  seen.judged = await judged(server, client, tokens.access_token, keys, open);
});

async function resourceMetadata(open) {
  const url = new URL(resource);
  const answer = await oauth.resourceDiscoveryRequest(url, open);
  return oauth.processResourceDiscoveryResponse(url, answer);
}

async function credentials({ server, client, authentication, bound }) {
  const parameters = { scope: settings.scope ?? "mcp:read", resource };
  return again(async () => {
    const answer = await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, bound);
    return oauth.processClientCredentialsResponse(server, client, answer);
  });
}

async function code({ server, client, authentication, bound, seen }) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const parameters = {
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: settings.redirect,
    scope: settings.scope ?? "offline_access mcp:read",
    resource,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    prompt: "consent",
  };
  const { email, password, redirect, boxes } = settings;
  const { callback, pages } = await agree(
    await authorizationUrl(server, client, authentication, parameters, bound),
    { email, password, redirectUri: redirect, boxes: JSON.parse(boxes) });
  seen.pages = pages;

  const answered = oauth.validateAuthResponse(server, client, callback, state);
  const tokens = await again(async () => {
    const answer = await oauth.authorizationCodeGrantRequest(
      server, client, authentication, answered, redirect, verifier, { ...bound, additionalParameters: { resource } });
    return oauth.processAuthorizationCodeResponse(server, client, answer);
  });
  return tokens.refresh_token ? refreshed(server, client, authentication, tokens, bound, seen) : tokens;
}

async function authorizationUrl(server, client, authentication, parameters, bound) {
  const url = new URL(server.authorization_endpoint);
  if (!settings.par) {
    url.search = new URLSearchParams(parameters);
    return url;
  }

  const { request_uri } = await again(async () => {
    const answer = await oauth.pushedAuthorizationRequest(server, client, authentication, parameters, bound);
    return oauth.processPushedAuthorizationResponse(server, client, answer);
  });
  url.search = new URLSearchParams({ client_id: client.client_id, request_uri });
  return url;
}

async function refreshed(server, client, authentication, tokens, bound, seen) {
  const next = await again(async () => {
    const answer = await oauth.refreshTokenGrantRequest(
      server, client, authentication, tokens.refresh_token, { ...bound, additionalParameters: { resource } });
    return oauth.processRefreshTokenResponse(server, client, answer);
  });
  seen.refreshed = { rotated: next.refresh_token !== undefined && next.refresh_token !== tokens.refresh_token };
  return next;
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

/** Presents the token to the judge as a request to the resource would; the judge fetches the keys itself. */
async function judged(server, client, token, keys, open) {
  let presented;
  await oauth.protectedResourceRequest(token, "GET", new URL(resource), undefined, undefined, {
    [oauth.allowInsecureRequests]: true,
    ...(keys && { DPoP: oauth.DPoP(client, keys) }),
    [oauth.customFetch]: async (url, { headers }) => {
      presented = new Request(url, { headers });
      return new Response();
    },
  });
  return oauth.validateJwtAccessToken(server, presented, resource, { ...open, requireDPoP: keys !== undefined });
}
