// What is answered to a service that asks a person by name (CIBA), and comes back for the answer or waits to be told.
import { Browser, hasButton } from "../clients/browser.mjs";
import { secret } from "./asker.mjs";

const ciba = "urn:openid:params:grant-type:ciba";
const butler = { client_id: "butler", client_secret: secret };
const bell = { client_id: "bell", client_secret: secret };

/** The peer takes a question with this message for agreed to; at Postern the person does. */
const agreed = "agreed";

/** Each question is another one: the same is not put twice. */
let questions = 0;

const put = (at, changes = {}) => at.post("backchannel_authentication_endpoint", {
  ...butler, scope: "openid mcp:read", resource: at.resource, login_hint: at.settings.email,
  binding_message: `table-${++questions}`, ...changes,
});
const asked = changes => at => put(at, changes);
const poll = (at, auth_req_id, fields = butler) =>
  at.post("token_endpoint", { grant_type: ciba, auth_req_id, ...fields });

async function waiting(at, changes) {
  const { auth_req_id } = await (await put(at, changes)).json();
  return auth_req_id;
}

/** Everything that waits on the person's page is allowed; a server without such a page has done so already. */
async function allowed(at, changes = {}) {
  const id = await waiting(at, { binding_message: agreed, ...changes });
  const { base, email, password } = at.settings;
  const probe = await fetch(`${base}/me`, { redirect: "manual" });
  if (probe.status === 404) {
    return id;
  }

  const browser = new Browser(at.settings.redirect);
  let page = await browser.open(`${base}/me`);
  if (hasButton(page, "Sign in")) {
    page = await browser.press(page, "Sign in", { Email: email, Password: password });
  }

  for (const link of new Set(page.links.filter(path => path.startsWith("/i/")))) {
    await browser.press(await browser.open(new URL(link, base)), "Allow");
  }

  return id;
}

export const backchannel = {
  "backchannel": asked(),
  "backchannel without a person": asked({ login_hint: null }),
  "backchannel with two ways to name one": asked({ id_token_hint: "a.b.c" }),
  "backchannel for nobody who is known": asked({ login_hint: "nobody@example.test" }),
  "backchannel with an id_token_hint that is none": asked({ login_hint: null, id_token_hint: "a.b.c" }),
  "backchannel without openid": asked({ scope: "mcp:read" }),
  "backchannel without a scope": asked({ scope: null }),
  "backchannel with a requested_expiry that is no number": asked({ requested_expiry: "soon" }),
  "backchannel with a requested_expiry of zero": asked({ requested_expiry: "0" }),
  "backchannel with a message of several lines": asked({ binding_message: "a\nb" }),
  "backchannel with a message that is too long": asked({ binding_message: "x".repeat(200) }),
  "backchannel with a wrong secret": asked({ client_secret: "wrong" }),
  "backchannel of a client that is none": asked({ client_id: "web" }),
  "backchannel of a public client": asked({ client_id: "app", client_secret: null }),
  "backchannel with a request of a client that signs none": asked({ request: "a.b.c" }),
  "backchannel for an unknown resource": asked({ resource: "https://elsewhere.example/mcp" }),
  "backchannel by GET": at => at.open("backchannel_authentication_endpoint", {}),
  "backchannel, ping": asked({ ...bell, client_notification_token: "notify-me-notify-me-notify-me" }),
  "backchannel, ping, without client_notification_token": asked(bell),
  "backchannel, ping, with a client_notification_token that is no token": asked(
    { ...bell, client_notification_token: "a b" }),

  "backchannel polls before the answer": async at => poll(at, await waiting(at)),
  "backchannel polls twice at once": async at => {
    const id = await waiting(at);
    await poll(at, id);
    return poll(at, id);
  },
  "backchannel polls with nonsense": at => poll(at, "x"),
  "backchannel polls without auth_req_id": at => poll(at, null),
  "backchannel polls as another client": async at => poll(at, await waiting(at), bell),
  "backchannel polls after the answer": async at => poll(at, await allowed(at)),
  "backchannel polls after its tokens": async at => {
    const id = await allowed(at);
    await poll(at, id);
    return poll(at, id);
  },
};
