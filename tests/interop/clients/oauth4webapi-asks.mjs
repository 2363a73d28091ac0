#!/usr/bin/env node
// oauth4webapi without a browser: a question that a person answers elsewhere (--flow device, --flow backchannel).
import * as oauth from "oauth4webapi";
import { options, remembering, report, serverUrl } from "./report.mjs";

const settings = options();
const resource = serverUrl(settings).href;
const client = { client_id: settings["client-id"] };
const patience = 24;

await report(async seen => {
  seen.steps = [];
  const open = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: remembering(seen.steps) };
  const issuer = new URL(settings.base);
  const server = await oauth.processDiscoveryResponse(
    issuer, await oauth.discoveryRequest(issuer, { ...open, algorithm: "oauth2" }));
  const secret = settings["client-secret"];
  const proof = secret ? oauth.ClientSecretBasic(secret) : oauth.None();
  const tokens = await ({ device, backchannel }[settings.flow])(server, proof, open);
  seen.token = { type: tokens.token_type, scope: tokens.scope };
});

async function device(server, proof, open) {
  const asked = await oauth.processDeviceAuthorizationResponse(server, client,
    await oauth.deviceAuthorizationRequest(server, client, proof, { scope: "mcp:read", resource }, open));
  return answered(asked.interval, async () => oauth.processDeviceCodeResponse(server, client,
    await oauth.deviceCodeGrantRequest(server, client, proof, asked.device_code, open)));
}

async function backchannel(server, proof, open) {
  const parameters = { scope: "openid mcp:read", resource, login_hint: settings.email, binding_message: "Table 12" };
  const asked = await oauth.processBackchannelAuthenticationResponse(server, client,
    await oauth.backchannelAuthenticationRequest(server, client, proof, parameters, open));
  return answered(asked.interval, async () => oauth.processBackchannelAuthenticationGrantResponse(server, client,
    await oauth.backchannelAuthenticationGrantRequest(server, client, proof, asked.auth_req_id, open)));
}

/** Asks again, as often as the server lets it, until the person has answered. */
async function answered(interval, ask) {
  for (let times = 0; ; times++) {
    try {
      return await ask();
    } catch (error) {
      if (error.error !== "authorization_pending" || times > patience) {
        throw error;
      }
    }

    await new Promise(resolve => setTimeout(resolve, interval * 1000));
  }
}
