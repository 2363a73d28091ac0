// A person at a browser, as far as a server can tell: follows redirects, keeps cookies, reads forms by their accessible
// names, sends what a browser sends (hidden fields, Origin, Sec-Fetch-*), and refuses what a browser refuses (cookies
// with a bad prefix, a redirect that the page's form-action does not allow).
import { Cookies } from "./cookies.mjs";
import { formsOf, textOf, titleOf } from "./forms.mjs";

// Taken before a script puts a watched fetch in its place: what the browser does is not what the client does.
const send = globalThis.fetch;
const mostSteps = 20;
const mostCharacters = 1_000_000;
const longestMilliseconds = 20_000;
const agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

export class Browser {
  #cookies = new Cookies();
  #stopAt;

  /** @param stopAt the redirect URI: a redirect that leads there is not followed but returned. */
  constructor(stopAt) {
    this.#stopAt = new URL(stopAt);
  }

  /** What a person types or a program opens: no site stands behind it. */
  open(url) {
    return this.#go({ method: "GET", url: new URL(url), site: "none" });
  }

  /** Presses the button of that accessible name, after filling in fields and boxes by theirs. */
  press(page, button, values = {}) {
    const { form, pressed } = buttonOf(page, button);
    for (const [name, value] of Object.entries(values)) {
      fill(form, name, value);
    }

    const action = new URL(pressed.action ?? form.action ?? "", page.url);
    const entries = new URLSearchParams([...form.entries(), ...pressed.entry]);
    const site = action.origin === page.url.origin ? "same-origin" : "cross-site";
    if (form.method === "get") {
      action.search = entries;
      return this.#go({ method: "GET", url: action, site, from: page });
    }

    return this.#go({ method: "POST", url: action, site, from: page, body: entries.toString() });
  }

  /** Follows redirects from one request to the page, or to the redirect URI, that it ends at. */
  async #go({ method, url, site, from, body }) {
    for (let step = 0; step < mostSteps; step++) {
      allowedByFormAction(from, url);
      if (this.#isEnd(url)) {
        return { callback: url };
      }

      const answer = await send(url, {
        method,
        body,
        headers: this.#headers({ method, url, site, from }),
        redirect: "manual",
        signal: AbortSignal.timeout(longestMilliseconds),
      });
      this.#cookies.keep(url, answer.headers.getSetCookie());
      const location = answer.status >= 300 && answer.status < 400 ? answer.headers.get("location") : null;
      if (location === null) {
        return pageOf(url, answer, (await answer.text()).slice(0, mostCharacters));
      }

      await answer.body?.cancel();
      const next = new URL(location, url);
      site = site === "same-origin" && next.origin !== url.origin ? "cross-site" : site;
      [method, body] = answer.status === 307 || answer.status === 308 ? [method, body] : ["GET", undefined];
      url = next;
    }

    throw new Error(`Still redirected after ${mostSteps} steps, last to ${url.origin}${url.pathname}.`);
  }

  #isEnd({ origin, pathname }) {
    return origin === this.#stopAt.origin && pathname === this.#stopAt.pathname;
  }

  #headers({ method, url, site, from }) {
    const policy = from?.headers.get("referrer-policy") ?? "strict-origin-when-cross-origin";
    const sameOrigin = from?.url.origin === url.origin;
    const cookie = this.#cookies.of(url, site, method);
    return {
      accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
      "accept-language": "en-US,en;q=0.9",
      "user-agent": agent,
      "upgrade-insecure-requests": "1",
      "sec-fetch-site": site,
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
      "sec-fetch-user": "?1",
      ...(cookie && { cookie }),
      ...(from && policy !== "no-referrer" && { referer: sameOrigin ? from.url.href : `${from.url.origin}/` }),
      ...(method === "POST" && {
        "content-type": "application/x-www-form-urlencoded",
        // Fetch standard, "append a request Origin header": a page that sends no referrer sends no origin either.
        origin: policy === "no-referrer" || (policy === "same-origin" && !sameOrigin) ? "null" : from.url.origin,
      }),
    };
  }
}

function pageOf(url, answer, html) {
  if (!(answer.headers.get("content-type") ?? "").startsWith("text/html")) {
    throw new Error(`${url.pathname} answered ${answer.status} without a page: ${html.slice(0, 500)}`);
  }

  const page = { url, status: answer.status, headers: answer.headers, title: titleOf(html), text: textOf(html) };
  return { ...page, forms: formsOf(html), links: [...html.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, to]) => to) };
}

export function hasButton(page, name) {
  return page.forms.some(form => form.buttons.some(button => button.name === name));
}

function buttonOf(page, name) {
  for (const form of page.forms) {
    const pressed = form.buttons.find(button => button.name === name);
    if (pressed) {
      return { form, pressed };
    }
  }

  const all = page.forms.flatMap(form => form.buttons.map(button => button.name));
  throw new Error(`${describe(page)} has no button “${name}”, only: ${all.join(", ") || "none"}.`);
}

function fill(form, name, value) {
  const field = form.fields.find(candidate => candidate.name === name);
  if (!field) {
    throw new Error(`No field “${name}”, only: ${form.fields.map(candidate => candidate.name).join(", ")}.`);
  }

  field.set(value);
}

export function describe(page) {
  return `The page ${page.url.pathname} (${page.status}, “${page.title}”: ${page.text.slice(0, 600)})`;
}

/** Chromium holds every redirect that follows a submitted form against the page's form-action, so a test must too. */
function allowedByFormAction(from, target) {
  const directive = from?.headers.get("content-security-policy")
    ?.split(";").map(part => part.trim().split(/\s+/)).find(([name]) => name === "form-action");
  if (!directive) {
    return;
  }

  const [, ...sources] = directive;
  if (!sources.some(source => matches(source, target, from.url))) {
    throw new Error(`form-action ${sources.join(" ")} of ${from.url.pathname} forbids ${target.origin}.`);
  }
}

function matches(source, target, self) {
  if (source === "'self'") {
    return target.origin === self.origin;
  }

  if (source === "*" || source === "'none'") {
    return source === "*" && /^https?:$/.test(target.protocol);
  }

  if (/^[a-z][a-z0-9+.-]*:$/i.test(source)) {
    return target.protocol === source.toLowerCase();
  }

  const [, scheme, host, port] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^:/]+)(?::(\d+|\*))?/i.exec(source) ?? [];
  const hostFits = host?.startsWith("*.") ? target.hostname.endsWith(host.slice(1)) : target.hostname === host;
  return hostFits && (!scheme || `${scheme}:` === target.protocol) && (port === "*" || (port ?? "") === target.port);
}
