#!/usr/bin/env node
// npm oidc-provider in memory: the peer that measurements compare with, and a second authorization server that shows
// the clients here to be fair. With --upstream it also guards one MCP server at /mcp/{name}, as Postern does.
//   node peer/server.mjs [--port N] [--server echo --upstream http://127.0.0.1:9001/mcp] [--jwk KEY] [--stay]
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, request as send } from "node:http";
import { parseArgs } from "node:util";
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from "jose";
import Provider from "oidc-provider";
import { answerInteraction } from "./pages.mjs";

// The provider notices its defaults on standard output, where only the ready line belongs.
console.info = console.warn;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    server: { type: "string", default: "echo" },
    upstream: { type: "string" },
    jwk: { type: "string" },
    certificates: { type: "string" },
    stay: { type: "boolean", default: false },
  },
});
const shown = values.certificates && JSON.parse(values.certificates);
const secret = "web-secret-web-secret-web-secret-web";
const http = createServer().listen(Number(values.port), "127.0.0.1");
await once(http, "listening");
const issuer = `http://127.0.0.1:${http.address().port}`;
const resource = `${issuer}/mcp/${values.server}`;
const scopes = "mcp:read mcp:write mcp:destroy";
const keys = await Promise.all([["ES256", "tokens"], ["RS256", "id"]].map(async ([alg, kid]) => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, kid, use: "sig" };
}));

const none = { redirect_uris: [], response_types: [] };
const ofItself = { grant_types: ["client_credentials"], scope: scopes, ...none };
const asking = { grant_types: ["urn:openid:params:grant-type:ciba"], scope: `openid ${scopes}`, ...none };

const provider = new Provider(issuer, {
  jwks: { keys },
  cookies: { keys: ["peer of a test"] },
  scopes: ["openid", "offline_access", ...scopes.split(" ")],
  clients: [
    {
      client_id: "bench",
      client_secret: "bench-secret-bench-secret-bench-1",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      scope: scopes,
    },
    {
      client_id: "app",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: ["http://127.0.0.1/callback"],
      scope: `openid offline_access ${scopes}`,
    },
    {
      client_id: "web",
      client_secret: "web-secret-web-secret-web-secret-web",
      token_endpoint_auth_method: "client_secret_post",
      application_type: "native",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: ["http://127.0.0.1:8765/callback"],
      scope: `openid offline_access ${scopes}`,
    },
    ...values.jwk ? [{
      client_id: "keyed",
      token_endpoint_auth_method: "private_key_jwt",
      application_type: "native",
      redirect_uris: ["http://127.0.0.1:8765/callback"],
      scope: `openid offline_access ${scopes}`,
      jwks: { keys: [JSON.parse(values.jwk)] },
    }] : [],
    ...values.certificates ? [
      {
        client_id: "issued",
        token_endpoint_auth_method: "tls_client_auth",
        tls_client_auth_subject_dn: "CN=agent",
        ...ofItself,
      },
      {
        client_id: "self",
        token_endpoint_auth_method: "self_signed_tls_client_auth",
        jwks: JSON.parse(shown.jwks),
        tls_client_certificate_bound_access_tokens: true,
        ...ofItself,
      },
      {
        client_id: "butler",
        client_secret: secret,
        token_endpoint_auth_method: "client_secret_post",
        backchannel_token_delivery_mode: "poll",
        ...asking,
      },
      {
        client_id: "bell",
        client_secret: secret,
        token_endpoint_auth_method: "client_secret_post",
        backchannel_token_delivery_mode: "ping",
        backchannel_client_notification_endpoint: "https://bell.example/told",
        ...asking,
      },
      {
        client_id: "watch",
        client_secret: secret,
        token_endpoint_auth_method: "client_secret_post",
        introspection_signed_response_alg: "ES256",
        ...ofItself,
      },
    ] : [],
    {
      client_id: "tv",
      token_endpoint_auth_method: "none",
      grant_types: ["urn:ietf:params:oauth:grant-type:device_code"],
      redirect_uris: [],
      response_types: [],
      scope: scopes,
    },
  ],
  clientDefaults: { scope: `openid offline_access ${scopes}`, authorization_details_types: ["mcp_tool"] },
  clientAuthMethods: [
    "client_secret_basic", "client_secret_jwt", "client_secret_post", "private_key_jwt", "none",
    ...values.certificates ? ["tls_client_auth", "self_signed_tls_client_auth"] : [],
  ],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_, client, code) =>
    client.grantTypeAllowed("refresh_token") && code.scopes.has("offline_access"),
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  ttl: {
    AccessToken: 600,
    ClientCredentials: 600,
    Grant: 86_400,
    IdToken: 600,
    Interaction: 600,
    RefreshToken: 86_400,
    Session: 86_400,
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true },
    jwtIntrospection: { enabled: true },
    ciba: {
      enabled: true,
      deliveryModes: ["poll", "ping"],
      processLoginHint: (_, hint) => (hint === "ada@example.test" ? hint : undefined),
      processLoginHintToken: () => undefined,
      verifyUserCode: () => {},
      validateRequestContext: () => {},
      triggerAuthenticationDevice: (_, asked, account, client) => agreeTo(asked, account, client),
    },
    mTLS: {
      enabled: Boolean(values.certificates),
      certificateBoundAccessTokens: true,
      selfSignedTlsClientAuth: true,
      tlsClientAuth: true,
      getCertificate: certificateOf,
      certificateAuthorized: ctx => certificateOf(ctx).verify(new X509Certificate(shown.authority).publicKey),
      certificateSubjectMatches: (ctx, _, expected) => certificateOf(ctx).subject === expected,
    },
    richAuthorizationRequests: {
      enabled: true,
      types: { mcp_tool: { validate: () => {} } },
      authorizationDetailsForGrantSource: (_, source) => source.rar,
      authorizationDetailsForAccessToken: (_, __, source) => source.rar,
      authorizationDetailsForIntrospection: (_, token) => token.rar,
    },
    dPoP: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    deviceFlow: { enabled: true },
    requestObjects: { enabled: true },
    jwtResponseModes: { enabled: true },
    resourceIndicators: {
      enabled: true,
      // Who asks for an identity alone gets a token for UserInfo.
      defaultResource: ({ oidc }) => (/mcp:/.test(oidc.params?.scope ?? "mcp:") ? resource : undefined),
      useGrantedResource: () => true,
      getResourceServerInfo: (_, audience) => ({
        audience,
        scope: scopes,
        // What the peer has signed it does not know again; what is asked about is opaque.
        accessTokenFormat: audience.endsWith("/opaque") ? "opaque" : "jwt",
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});
const serve = provider.callback();
const publicKeys = createLocalJWKSet({ keys: keys.map(({ d, p, q, dp, dq, qi, ...open }) => open) });

http.on("request", async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, issuer);
  // RFC 6749 §3.3 lets a server have a default scope; this one has none, and older clients rely on it.
  if (pathname === "/auth" && !searchParams.has("scope") && !searchParams.has("request_uri")) {
    request.url += "&scope=mcp:read";
  }

  if (pathname === "/.well-known/oauth-authorization-server") {
    request.url = "/.well-known/openid-configuration";
  }

  if (pathname.startsWith("/interaction/")) {
    await answerInteraction(provider, request, response);
  } else if (pathname === `/.well-known/oauth-protected-resource/mcp/${values.server}`) {
    const metadata = { resource, authorization_servers: [issuer], scopes_supported: ["mcp:read"] };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(metadata));
  } else if (pathname === `/mcp/${values.server}` && values.upstream) {
    await guard(request, response);
  } else {
    serve(request, response);
  }
});
console.log(JSON.stringify({ url: issuer, pid: process.pid }));

/** The person has agreed at once when the question says so. */
async function agreeTo(asked, { accountId }, { clientId }) {
  if (asked.params.binding_message !== "agreed") {
    return;
  }

  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope("openid");
  grant.addResourceScope(resource, "mcp:read");
  await grant.save();
  await provider.backchannelResult(asked, grant);
}

/** The certificate that a proxy was shown (RFC 9440). */
function certificateOf(ctx) {
  const [, text] = /^:(.+):$/.exec(ctx.get("client-cert")) ?? [];
  try {
    return text && new X509Certificate(Buffer.from(text, "base64"));
  } catch {
    return undefined;
  }
}

async function guard(request, response) {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization)?.[1] ?? "";
  try {
    await jwtVerify(token, publicKeys, { issuer, audience: resource, typ: "at+jwt" });
  } catch {
    const metadata = `${issuer}/.well-known/oauth-protected-resource/mcp/${values.server}`;
    const challenge = `Bearer resource_metadata="${metadata}", scope="mcp:read"`;
    response.writeHead(401, { "www-authenticate": challenge }).end();
    return;
  }

  const upstream = new URL(values.upstream);
  const { authorization, ...headers } = { ...request.headers, host: upstream.host };
  const relayed = send(upstream, { method: request.method, headers }, answer => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  relayed.on("error", () => response.destroy());
  response.on("close", () => relayed.destroy());
  request.pipe(relayed);
}

process.on("SIGTERM", () => process.exit(0));
if (!values.stay) {
  process.stdin.on("end", () => process.exit(0)).resume();
}
