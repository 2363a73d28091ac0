#!/usr/bin/env node
// @modelcontextprotocol/client 2.x: a person's identity provider stands for the consent page (ID-JAG, SEP-990). The
// SDK asks the provider at --idp for the grant (or is given one, --assertion), brings it to the server's own authorization server, and calls a tool.
import {
  Client, CrossAppAccessProvider, discoverAndRequestJwtAuthGrant, DpopSession, StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { claimsOf, options, remembering, report, serverUrl } from "./report.mjs";

const settings = options();

await report(async seen => {
  seen.steps = [];
  const provider = new CrossAppAccessProvider({
    clientId: settings["client-id"],
    clientSecret: settings["client-secret"],
    assertion: async context => {
      if (settings.assertion) {
        return settings.assertion;
      }

      const granted = await discoverAndRequestJwtAuthGrant({
        idpUrl: settings.idp,
        audience: context.authorizationServerUrl,
        resource: context.resourceUrl,
        idToken: settings["id-token"],
        clientId: settings["idp-client-id"],
        clientSecret: settings["idp-client-secret"],
        fetchFn: remembering(seen.steps),
      });
      seen.assertion = claimsOf(granted.jwtAuthGrant);
      return granted.jwtAuthGrant;
    },
  });
  if (settings.dpop) {
    const keys = DpopSession.create();
    provider.dpop = () => keys;
  }

  const transport = new StreamableHTTPClientTransport(
    serverUrl(settings), { authProvider: provider, fetch: remembering(seen.steps) });
  const client = new Client({ name: "interop-cross-app", version: "1.0.0" });
  await client.connect(transport);
  seen.result = await client.callTool({ name: settings.call, arguments: JSON.parse(settings.arguments) });
  seen.type = provider.tokens().token_type;
  seen.token = claimsOf(provider.tokens().access_token);
  await client.close();
});
