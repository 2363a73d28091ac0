// RFC 6265bis, the part a sign-in needs: host-only and domain cookies, paths, expiry, prefixes, SameSite.
const mostCookies = 100;

export class Cookies {
  #kept = new Map();

  keep(url, lines) {
    for (const line of lines) {
      const cookie = parse(url, line);
      const key = `${cookie.domain} ${cookie.path} ${cookie.name}`;
      if (cookie.expires <= Date.now()) {
        this.#kept.delete(key);
      } else if (this.#kept.size < mostCookies) {
        this.#kept.set(key, cookie);
      }
    }
  }

  /** The Cookie header of a top-level navigation; `site` is what Sec-Fetch-Site says about where it comes from. */
  of(url, site, method) {
    return [...this.#kept.values()]
      .filter(cookie => cookie.expires > Date.now() && reaches(cookie, url) && goesAlong(cookie, site, method))
      .sort((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }
}

function parse(url, line) {
  const [pair, ...rest] = line.split(";");
  const [name, value] = split(pair);
  const attributes = Object.fromEntries(rest.map(part => split(part)).map(([key, v]) => [key.toLowerCase(), v]));
  const age = "max-age" in attributes ? Date.now() + Number(attributes["max-age"]) * 1000 : undefined;
  const cookie = {
    name,
    value,
    hostOnly: !attributes.domain,
    domain: (attributes.domain ?? url.hostname).replace(/^\./, "").toLowerCase(),
    path: attributes.path?.startsWith("/") ? attributes.path : url.pathname.replace(/\/[^/]*$/, "") || "/",
    secure: "secure" in attributes,
    sameSite: (attributes.samesite ?? "lax").toLowerCase(),
    expires: age ?? (attributes.expires ? Date.parse(attributes.expires) : Infinity),
  };
  refuse(cookie, attributes, url);
  return cookie;
}

function refuse(cookie, attributes, url) {
  const wrong =
    cookie.secure && !isTrustworthy(url) ? "Secure, but not set over https" :
    /^__(Secure|Host)-/i.test(cookie.name) && !cookie.secure ? "prefixed, but not Secure" :
    /^__Host-/i.test(cookie.name) && (!cookie.hostOnly || attributes.path !== "/") ? "__Host-, but not for one host" :
    cookie.sameSite === "none" && !cookie.secure ? "SameSite=None, but not Secure" :
    !cookie.hostOnly && !within(url.hostname, cookie.domain) ? "for another domain" : undefined;
  if (wrong) {
    throw new Error(`A browser drops the cookie ${cookie.name}: ${wrong}.`);
  }
}

const isTrustworthy = ({ protocol, hostname }) =>
  protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname);

const split = part => {
  const at = part.indexOf("=");
  return at < 0 ? [part.trim(), ""] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
};

const within = (host, domain) => host === domain || host.endsWith(`.${domain}`);

function reaches({ hostOnly, domain, path, secure }, url) {
  const { hostname, pathname } = url;
  const hostFits = hostOnly ? hostname === domain : within(hostname, domain);
  const pathFits = pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
  return hostFits && pathFits && (!secure || isTrustworthy(url));
}

function goesAlong({ sameSite }, site, method) {
  const comesFromElsewhere = site === "cross-site";
  return !comesFromElsewhere || sameSite === "none" || (sameSite === "lax" && method === "GET");
}
