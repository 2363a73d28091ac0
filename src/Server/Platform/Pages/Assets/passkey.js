// Passkeys need a script: the ceremony runs in the browser, its answer travels in the form like any other field.
const { PublicKeyCredential: key } = window;

for (const button of document.querySelectorAll("[data-passkey]")) {
  button.hidden = !key?.parseRequestOptionsFromJSON;
  button.addEventListener("click", () => ask(button));
}

async function ask(button) {
  const problem = document.getElementById("passkey-problem");
  const needed = button.dataset.needs && document.getElementById(button.dataset.needs);
  if (needed && !needed.reportValidity()) {
    return;
  }

  problem.hidden = true;
  button.setAttribute("aria-busy", "true");
  try {
    const credential = await ceremony(button);
    document.getElementById(button.dataset.answer).value = JSON.stringify(credential);
    button.form.noValidate = true;
    button.form.requestSubmit();
  } catch {
    problem.textContent = "That did not work. Try again, or use your password.";
    problem.hidden = false;
  } finally {
    button.removeAttribute("aria-busy");
  }
}

async function ceremony({ dataset, form }) {
  const options = JSON.parse(dataset.options);
  if (dataset.passkey === "get") {
    return navigator.credentials.get({ publicKey: key.parseRequestOptionsFromJSON(options) });
  }

  const email = form.elements.email?.value;
  if (email) {
    options.user = { ...options.user, name: email, displayName: email };
  }

  return navigator.credentials.create({ publicKey: key.parseCreationOptionsFromJSON(options) });
}
