#!/usr/bin/env node
// @modelcontextprotocol/client 2.x acts as itself: client credentials with a secret, or with a key (--key, a private JWK),
// and with --dpop its token is bound to another key, made here. It connects and calls a tool.
import {
  Client, ClientCredentialsProvider, DpopSession, PrivateKeyJwtProvider, StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { claimsOf, options, remembering, report, serverUrl } from "./report.mjs";

const settings = options();

await report(async seen => {
  seen.steps = [];
  const known = { clientId: settings["client-id"], expectedIssuer: settings.base, scope: settings.scope };
  const provider = settings.key
    ? new PrivateKeyJwtProvider({ ...known, privateKey: JSON.parse(settings.key), algorithm: "ES256" })
    : new ClientCredentialsProvider({ ...known, clientSecret: settings["client-secret"] });
  if (settings.dpop) {
    const keys = DpopSession.create();
    provider.dpop = () => keys;
  }

  const client = new Client({ name: "interop-acting", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(
    serverUrl(settings), { authProvider: provider, fetch: remembering(seen.steps) }));
  seen.result = await client.callTool({ name: settings.call, arguments: JSON.parse(settings.arguments) });
  seen.type = provider.tokens().token_type;
  seen.token = claimsOf(provider.tokens().access_token);
  await client.close();
});
