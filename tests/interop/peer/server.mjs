#!/usr/bin/env node
// npm oidc-provider in memory: the peer that measurements compare with, and a second authorization server that shows
// the clients here to be fair. With --upstream it also guards one MCP server at /mcp/{name}, as Postern does.
//   node peer/server.mjs [--port N] [--server echo --upstream http://127.0.0.1:9001/mcp] [--stay]
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
    stay: { type: "boolean", default: false },
  },
});
const http = createServer().listen(Number(values.port), "127.0.0.1");
await once(http, "listening");
const issuer = `http://127.0.0.1:${http.address().port}`;
const resource = `${issuer}/mcp/${values.server}`;
const scopes = "mcp:read mcp:write mcp:destroy";
const keys = await Promise.all([["ES256", "tokens"], ["RS256", "id"]].map(async ([alg, kid]) => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, kid, use: "sig" };
}));

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
  ],
  clientDefaults: { scope: `openid offline_access ${scopes}` },
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
    dPoP: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
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
