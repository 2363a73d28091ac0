#!/usr/bin/env node
// Runs the authorization-server scenarios of the suite and is the person in front of its browser.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agree } from "./person.mjs";
import { options, report, serverUrl } from "./report.mjs";
import { conformance, verdict } from "./suite.mjs";

const settings = options();

await report(async seen => {
  const results = await mkdtemp(join(tmpdir(), "conformance-"));
  const redirectUri = `http://127.0.0.1:${settings.port}/callback`;
  // The suite waits five minutes for its callback; when the person got stuck there is nothing to wait for.
  const stuck = new AbortController();
  let driving;
  const heard = output => {
    const url = /^https?:\S+[?&]response_type=code\S*$/m.exec(output)?.[0];
    if (url) {
      driving ??= drive(url).catch(error => stuck.abort(error));
    }
  };

  try {
    const { code, output } = await conformance(parameters(results), heard, stuck.signal);
    await driving;
    seen.scenarios = await scenarios(results);
    // Without a client id the suite passes its second scenario with no check at all.
    if (code !== 0 || !(seen.scenarios["authorization-code-grant"]?.passed > 0)) {
      throw new Error(`The suite ended with ${code}. ${output.slice(-3000)}`);
    }
  } finally {
    await rm(results, { recursive: true, force: true });
  }

  async function drive(url) {
    const { callback, pages } = await agree(url, { email: settings.email, password: settings.password, redirectUri });
    seen.pages = pages;
    await fetch(callback);
  }
});

function parameters(results) {
  return [
    "authorization",
    "--url", settings.base,
    "--client-id", settings["client-id"],
    ...(settings["client-secret"] ? ["--client-secret", settings["client-secret"]] : []),
    "--resource", serverUrl(settings).href,
    "--port", settings.port,
    "-o", results,
  ];
}

async function scenarios(folder) {
  const found = {};
  const entries = await readdir(folder, { recursive: true });
  for (const entry of entries.filter(path => path.endsWith("checks.json")).sort()) {
    const checks = JSON.parse(await readFile(join(folder, entry), "utf8"));
    for (const check of checks) {
      found[check.id] = verdict([check]);
    }
  }

  return found;
}
