#!/usr/bin/env node
// Runs the server scenarios of a requirement set, or one scenario, against a URL. The suite knows no OAuth, so with
// --token it talks through a loopback proxy that adds the bearer token and changes nothing else.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, request as send } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { options, report, serverUrl } from "./report.mjs";
import { conformance, verdict } from "./suite.mjs";

const settings = options();

await report(async seen => {
  const target = serverUrl(settings);
  const proxy = settings.token ? await bearerProxy(target, settings.token) : undefined;
  const results = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const url = proxy?.url ?? target.href;
    const { code, output } = await conformance(["server", "--url", url, "-o", results, ...which()]);
    seen.scenarios = await scenarios(results);
    seen.notScored = [...output.matchAll(/^ {2}[✓✗] (\S+) \([a-z-]+\)$/gm)].map(([, name]) => name);
    const scored = Object.entries(seen.scenarios).filter(([name]) => !seen.notScored.includes(name));
    seen.passed = scored.filter(([, { failed }]) => failed === 0).length;
    seen.failed = scored.filter(([, { failed }]) => failed > 0).map(([name]) => name);
    if (code !== 0) {
      throw new Error(`The suite ended with ${code}. ${output.slice(-3000)}`);
    }
  } finally {
    proxy?.close();
    await rm(results, { recursive: true, force: true });
  }
});

function which() {
  const chosen = settings.scenario
    ? ["--scenario", settings.scenario, "--spec-version", settings["spec-version"] ?? "2026-07-28"]
    : ["--requirements", settings.requirements ?? "2026-07-28"];
  return settings["expected-failures"] ? [...chosen, "--expected-failures", settings["expected-failures"]] : chosen;
}

async function scenarios(folder) {
  const found = {};
  const entries = await readdir(folder, { recursive: true });
  for (const entry of entries.filter(path => path.endsWith("checks.json")).sort()) {
    const name = /(?:^|\/)server-(.+)-\d{4}-\d\d-\d\dT[^/]*\/checks\.json$/.exec(entry)[1];
    found[name] = verdict(JSON.parse(await readFile(join(folder, entry), "utf8")));
  }

  return found;
}

/** Everything passes as it is, also a foreign Host or Origin; only what names the proxy is made to name the target. */
function bearerProxy(target, token) {
  const proxy = createServer((incoming, outgoing) => {
    const own = `127.0.0.1:${proxy.address().port}`;
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` };
    headers.host = headers.host === own ? target.host : headers.host;
    if (headers.origin?.endsWith(`://${own}`)) {
      headers.origin = target.origin;
    }

    const relayed = send(new URL(incoming.url, target), { method: incoming.method, headers, agent: false }, answer => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    relayed.on("error", () => outgoing.destroy());
    // A stream the client closes is a call the client cancels.
    outgoing.on("close", () => relayed.destroy());
    incoming.pipe(relayed);
  });
  return new Promise(resolve => proxy.listen(0, "127.0.0.1", () => resolve({
    url: `http://127.0.0.1:${proxy.address().port}${target.pathname}`,
    close: () => {
      proxy.close();
      proxy.closeAllConnections();
    },
  })));
}
