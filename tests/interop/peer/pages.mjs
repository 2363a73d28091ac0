// Sign-in and consent for oidc-provider, with the accessible names that Postern's pages have.
const mostBytes = 10_000;

const page = (title, fields, button) => `<!doctype html><html lang="en"><head><title>${title}</title></head><body>
<h1>${title}</h1><form method="post">${fields}<button type="submit">${button}</button></form></body></html>`;

const signIn = page(
  "Sign in",
  `<label for="e">Email</label><input id="e" name="email" type="email">
   <label>Password <input name="password" type="password"></label>`,
  "Sign in");
const consent = page("Consent", "", "Allow");

export async function answerInteraction(provider, request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "referrer-policy": "same-origin" });
    response.end(prompt.name === "login" ? signIn : consent);
    return;
  }

  const form = new URLSearchParams(await bodyOf(request));
  const result = prompt.name === "login"
    ? { login: { accountId: form.get("email") } }
    : { consent: { grantId: await grant(provider, prompt.details, params, session, grantId) } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

async function grant(provider, details, params, { accountId }, grantId) {
  const given = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId, clientId: params.client_id });
  given.addOIDCScope((details.missingOIDCScope ?? []).join(" "));
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    given.addResourceScope(resource, scopes.join(" "));
  }

  return given.save();
}

async function bodyOf(request) {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) {
    body += chunk;
    if (body.length > mostBytes) {
      throw new Error("The form is too long.");
    }
  }

  return body;
}
