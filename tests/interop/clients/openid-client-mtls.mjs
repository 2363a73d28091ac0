#!/usr/bin/env node
// openid-client with a certificate of its own (RFC 8705): discovery, client credentials, and a call with the bound token.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { parseArgs } from "node:util";
import * as oidc from "openid-client";
import { claimsOf, remembering, report } from "./report.mjs";

const names = ["base", "client-id", "resource", "certificate", "key", "authority", "aliases"];
const { values } = parseArgs({ options: Object.fromEntries(names.map(name => [name, { type: "string" }])) });
const [cert, key, ca] = [values.certificate, values.key, values.authority].map(file => readFileSync(file));

await report(async seen => {
  seen.steps = [];
  // With aliases (RFC 8705 §5) the server is met without a certificate, and shown it at another address.
  const metadata = values.aliases && { use_mtls_endpoint_aliases: true };
  const fetch = remembering(seen.steps, overTls({ cert, key, ca }));
  const config = await oidc.discovery(new URL(values.base), values["client-id"], metadata, oidc.TlsClientAuth(), {
    [oidc.customFetch]: fetch,
  });
  const tokens = await oidc.clientCredentialsGrant(config, { scope: "mcp:read", resource: values.resource });
  seen.token = { type: tokens.token_type, ...claimsOf(tokens.access_token) };
  seen.shown = await call(overTls({ cert, key, ca }), tokens.access_token);
  seen.hidden = await call(overTls({ ca }), tokens.access_token);
});

async function call(fetch, token) {
  const { status } = await fetch(values.aliases ?? values.resource, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  });
  return status;
}

// The fetch of Node takes no certificate without a package more.
function overTls(credentials) {
  return (url, { method = "GET", headers = {}, body } = {}) => new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: Object.fromEntries(new Headers(headers)), agent: false, ...credentials });
    sent.on("error", reject).on("response", answer => {
      const chunks = [];
      answer.on("data", chunk => chunks.push(chunk)).on("end", () =>
        resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode, headers: answer.headers })));
    });
    sent.end(body === undefined ? undefined : String(body));
  });
}
