// Runs @modelcontextprotocol/conformance as a child of this process.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../node_modules/.bin/conformance", import.meta.url));
const longestMilliseconds = 300_000;
const mostCharacters = 2_000_000;

/** Runs it to its end, or until `stop` is aborted; `heard` is called with all it has printed so far. */
export function conformance(parameters, heard = () => {}, stop = undefined) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...parameters], {
      stdio: ["ignore", "pipe", "pipe"],
      signal: stop,
    });
    const late = setTimeout(() => child.kill("SIGKILL"), longestMilliseconds);
    let output = "";
    const hear = chunk => {
      output = (output + chunk).slice(-mostCharacters);
      heard(output);
    };
    child.stdout.setEncoding("utf8").on("data", hear);
    child.stderr.setEncoding("utf8").on("data", hear);
    child.on("error", error => {
      clearTimeout(late);
      reject(stop?.aborted ? stop.reason : error);
    });
    child.on("close", code => {
      clearTimeout(late);
      resolve({ code, output });
    });
  });
}

/** What one checks.json says, in short. */
export function verdict(checks) {
  const failed = checks.filter(({ status }) => status === "FAILURE");
  return {
    passed: checks.filter(({ status }) => status === "SUCCESS").length,
    failed: failed.length,
    ...(failed.length > 0 && { failures: failed.map(({ id, errorMessage }) => ({ id, message: errorMessage })) }),
    ...warnings(checks),
  };
}

function warnings(checks) {
  const found = checks.filter(({ status }) => status === "WARNING");
  return found.length > 0 && { warnings: found.map(({ id, errorMessage }) => ({ id, message: errorMessage })) };
}
