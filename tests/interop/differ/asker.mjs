// One server under comparison: its metadata says where everything is, its answers are told in a form that can be
// compared: status, error, and the names of headers, members and claims; never a value that is drawn.
import { randomBytes, createHash } from "node:crypto";
import { agree } from "../clients/person.mjs";

const longestMilliseconds = 20_000;
const headers = ["cache-control", "www-authenticate", "dpop-nonce", "retry-after"];

export class Asker {
  constructor(settings, metadata) {
    this.settings = settings;
    this.metadata = metadata;
    this.resource = `${settings.base}/mcp/${settings.server}`;
  }

  static async of(settings) {
    const answer = await fetch(`${settings.base}/.well-known/openid-configuration`);
    return new Asker(settings, await answer.json());
  }

  /** What every authorization request has, with changes; null leaves one out. */
  authorization(changes = {}, verifier = verifierOf()) {
    return {
      verifier,
      parameters: without({
        response_type: "code",
        client_id: "app",
        redirect_uri: this.settings.redirect,
        scope: "openid offline_access mcp:read",
        state: "s",
        nonce: "n",
        resource: this.resource,
        prompt: "consent",
        code_challenge: challengeOf(verifier),
        code_challenge_method: "S256",
        ...changes,
      }),
    };
  }

  url(endpoint, parameters) {
    const url = new URL(this.metadata[endpoint]);
    url.search = new URLSearchParams(parameters);
    return url;
  }

  /** The nonce that this server wants in proofs; undefined where it wants none. */
  async nonce(fields, proofOf) {
    const answer = await this.post("token_endpoint", fields, { dpop: await proofOf() });
    return answer.headers.get("dpop-nonce") ?? undefined;
  }

  /** Lets the client in as the person, and redeems the code unless it is wanted itself. */
  async letIn(changes = {}, { isCode = false } = {}) {
    const { parameters, verifier } = this.authorization(changes);
    const { email, password, redirect } = this.settings;
    const { callback } = await agree(
      this.url("authorization_endpoint", parameters), { email, password, redirectUri: redirect });
    const code = callback.searchParams.get("code");
    return isCode
      ? { code, verifier }
      : (await this.post("token_endpoint", {
        grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: redirect, client_id: "app",
        resource: changes.resource === null ? null : this.resource,
      })).json();
  }

  open(endpoint, parameters, headers = {}) {
    return fetch(this.url(endpoint, parameters), { redirect: "manual", headers, signal: late() });
  }

  post(endpoint, fields, headers = {}) {
    const body = Array.isArray(fields) ? new URLSearchParams(fields) : new URLSearchParams(without(fields));
    return fetch(this.metadata[endpoint], { method: "POST", body, headers, redirect: "manual", signal: late() });
  }

  send(endpoint, init) {
    return fetch(this.metadata[endpoint], { redirect: "manual", signal: late(), ...init });
  }
}

export const secret = "web-secret-web-secret-web-secret-web";
export const web = { client_id: "web", client_secret: secret };
export const basic = (user, password) =>
  ({ authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` });

/** The names of what a JWT says. */
export const claims = jwt =>
  Object.keys(JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"))).sort().join(" ");

export const verifierOf = () => randomBytes(32).toString("base64url");
export const challengeOf = verifier => createHash("sha256").update(verifier).digest("base64url");

const late = () => AbortSignal.timeout(longestMilliseconds);
const without = parameters =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined));

/** An answer as it is compared. */
export async function summary(answer) {
  const text = await answer.text();
  const location = answer.headers.get("location");
  return {
    status: answer.status,
    ...(location && { to: whereTo(location) }),
    ...(!location && bodyOf(answer.headers.get("content-type") ?? "", text)),
    headers: headers.filter(name => answer.headers.has(name)).map(name => headerOf(name, answer.headers.get(name))),
  };
}

function whereTo(location) {
  const { searchParams, hash, protocol, port } = new URL(location, "http://127.0.0.1:1");
  if (port !== "8765" && protocol !== "https:") {
    return "its own pages";
  }

  const told = new Map([...searchParams, ...new URLSearchParams(hash.slice(1))]);
  const names = [...told.keys()].filter(name => name !== "error_description").sort().join(" ");
  const error = told.get("error");
  return `the client with ${names || "nothing"}${error ? `, ${error}` : ""}`;
}

function bodyOf(type, text) {
  if (!/json/.test(type)) {
    return text === "" ? {} : { body: /html/.test(type) ? "a page" : /jwt/.test(type) ? "a JWT" : "text" };
  }

  const json = JSON.parse(text);
  return json.error
    ? { error: json.error }
    : { members: Object.keys(json).sort().join(" "), ...("active" in json && { active: json.active }) };
}

function headerOf(name, value) {
  if (name === "www-authenticate") {
    const [scheme] = value.split(" ");
    const error = /error="?([a-z_]+)/.exec(value)?.[1];
    return error ? `${scheme} ${error}` : scheme;
  }

  return name === "cache-control" && value.includes("no-store") ? "no-store" : name;
}
