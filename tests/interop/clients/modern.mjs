#!/usr/bin/env node
// @modelcontextprotocol/client 2.x at revision 2026-07-28: from the first 401 to tools/call.
import { Client, DpopSession, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { OAuthSession } from "./oauth-session.mjs";
import { claimsOf, options, remembering, report, serverUrl } from "./report.mjs";

const mostAuthorizations = 3;
const settings = options();

await report(async seen => {
  const session = new OAuthSession(settings);
  seen.registration = settings.token ? "none" : session.registration;
  if (settings.dpop) {
    const keys = await DpopSession.create();
    session.dpop = () => keys;
  }

  seen.steps = [];
  seen.pages = session.pages;
  const authProvider = settings.token ? { token: async () => settings.token } : session;
  const newTransport = () =>
    new StreamableHTTPClientTransport(serverUrl(settings), { authProvider, fetch: remembering(seen.steps) });

  let { client, transport } = await authorized(undefined, async () => {
    const opened = { client: newClient(), transport: newTransport() };
    try {
      await opened.client.connect(opened.transport);
      return opened;
    } catch (error) {
      throw Object.assign(error, { transport: opened.transport });
    }
  });
  seen.protocol = client.getNegotiatedProtocolVersion();
  seen.server = client.getServerVersion();
  seen.tools = (await client.listTools()).tools.map(({ name }) => name);
  if (settings.call) {
    const call = { name: settings.call, arguments: JSON.parse(settings.arguments) };
    seen.result = await authorized(transport, () => client.callTool(call));
  }

  const tokens = session.tokens();
  seen.token = tokens && { ...claimsOf(tokens.access_token), type: tokens.token_type, scope: tokens.scope, refreshable: !!tokens.refresh_token };
  await client.close();

  /** Does it; and when the SDK says that a person must agree first, lets them and does it again. */
  async function authorized(known, act) {
    for (let times = 0; ; times++) {
      try {
        return await act();
      } catch (error) {
        const asking = known ?? error.transport;
        if (!(error instanceof UnauthorizedError) || settings.token || times >= mostAuthorizations) {
          throw error;
        }

        await asking.finishAuth(await session.askPerson());
      }
    }
  }
});

function newClient() {
  return new Client(
    { name: "interop-modern", version: "1.0.0" },
    { versionNegotiation: { mode: { pin: settings.protocol ?? "2026-07-28" } } });
}
