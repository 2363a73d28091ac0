#!/usr/bin/env node
// The MCP SDK of the day for each older revision: 1.32 for 2025-11-25, 1.20 for 2025-06-18, 1.11 for 2025-03-26.
import { OAuthSession } from "./oauth-session.mjs";
import { claimsOf, options, remembering, report, serverUrl } from "./report.mjs";

const packages = {
  "2025-11-25": "@modelcontextprotocol/sdk",
  "2025-06-18": "mcp-sdk-2025-06-18",
  "2025-03-26": "mcp-sdk-2025-03-26",
};
const settings = options();
const protocol = settings.protocol ?? "2025-11-25";
const sdk = packages[protocol];
const { Client } = await import(`${sdk}/client/index.js`);
const { StreamableHTTPClientTransport } = await import(`${sdk}/client/streamableHttp.js`);
const { UnauthorizedError } = await import(`${sdk}/client/auth.js`);

await report(async seen => {
  const session = new OAuthSession(settings);
  seen.registration = settings.token ? "none" : session.registration;
  seen.steps = [];
  seen.pages = session.pages;
  // The oldest of them takes no fetch of its own, so the process's is watched.
  globalThis.fetch = remembering(seen.steps, globalThis.fetch);
  const client = await connected(session, seen);
  seen.server = client.getServerVersion();
  seen.session = client.transport.sessionId !== undefined;
  seen.tools = (await client.listTools()).tools.map(({ name }) => name);
  if (settings.call) {
    seen.result = await client.callTool({ name: settings.call, arguments: JSON.parse(settings.arguments) });
  }

  const tokens = session.tokens();
  seen.token = tokens && { ...claimsOf(tokens.access_token), scope: tokens.scope, refreshable: !!tokens.refresh_token };
  await client.transport.terminateSession?.();
  await client.close();
});

async function connected(session, seen) {
  const open = () => new StreamableHTTPClientTransport(serverUrl(settings), settings.token
    ? { requestInit: { headers: { authorization: `Bearer ${settings.token}` } } }
    : { authProvider: session });
  const connect = async transport => {
    const client = new Client({ name: `interop-legacy-${protocol}`, version: "1.0.0" }, { capabilities: {} });
    const request = client.request.bind(client);
    client.request = async (message, ...rest) => {
      const result = await request(message, ...rest);
      seen.protocol ??= result.protocolVersion;
      return result;
    };
    await client.connect(transport);
    return client;
  };
  const first = open();
  try {
    return await connect(first);
  } catch (error) {
    if (!(error instanceof UnauthorizedError) || settings.token) {
      throw error;
    }

    await first.finishAuth((await session.askPerson()).get("code"));
    return connect(open());
  }
}
