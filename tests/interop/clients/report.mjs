// What every script shares: options from the command line or INTEROP_… variables, and one line of JSON as the answer.
import { parseArgs } from "node:util";

const known = {
  base: "http://127.0.0.1:7400",
  server: "echo",
  url: undefined,
  email: "ada@example.test",
  password: "correct-horse-battery-staple",
  "client-id": undefined,
  "client-secret": undefined,
  "metadata-url": undefined,
  idp: undefined,
  "idp-client-id": undefined,
  "idp-client-secret": undefined,
  "id-token": undefined,
  assertion: undefined,
  redirect: "http://127.0.0.1:8765/callback",
  scope: undefined,
  token: undefined,
  protocol: undefined,
  call: "echo",
  arguments: '{"greeting":"hello"}',
  boxes: "{}",
  flow: "code",
  par: undefined,
  key: undefined,
  certificates: undefined,
  details: undefined,
  dpop: undefined,
  requirements: undefined,
  scenario: undefined,
  "spec-version": undefined,
  "expected-failures": undefined,
  port: "8765",
};

export function options() {
  const names = Object.keys(known);
  const { values } = parseArgs({ options: Object.fromEntries(names.map(name => [name, { type: "string" }])) });
  const fromEnvironment = name => process.env[`INTEROP_${name.replaceAll("-", "_").toUpperCase()}`];
  return Object.fromEntries(names.map(name => [name, values[name] ?? fromEnvironment(name) ?? known[name]]));
}

/** Prints what `run` saw, or what went wrong in the client's own words, and ends with 0 or 1. */
export async function report(run) {
  const seen = {};
  try {
    await run(seen);
    answer({ ok: true, ...seen }, 0);
  } catch (error) {
    answer({ ok: false, error: wordsOf(error), ...seen }, 1);
  }
}

function answer(line, code) {
  process.stdout.write(`${JSON.stringify(line)}\n`, () => process.exit(code));
}

function wordsOf(error) {
  const { name, message, code, error: oauth, error_description: description, cause } = error;
  return {
    name,
    message,
    ...(code !== undefined && { code }),
    ...(typeof oauth === "string" && { oauth, description }),
    ...(cause !== undefined && { cause: cause instanceof Error ? wordsOf(cause) : cause }),
    stack: String(error.stack).split("\n").slice(1, 4).map(line => line.trim()),
  };
}

/** A fetch that remembers the gates a client went through: method, path, status; never a token or a body. */
export function remembering(steps, inner = fetch) {
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = new URL(request?.url ?? input);
    const response = await inner(input, init);
    steps.push({ method: init?.method ?? request?.method ?? "GET", path: url.pathname, status: response.status });
    return response;
  };
}

/** The claims of a JWT, unverified: for a test to look at. */
export function claimsOf(token) {
  const [header, payload] = token.split(".", 2).map(part => JSON.parse(Buffer.from(part, "base64url")));
  return { header, payload };
}

/** `http://a/mcp/echo` for server `echo`, or the URL given. */
export const serverUrl = ({ url, base, server }) => new URL(url ?? `${base}/mcp/${server}`);
