// The person who signs in and agrees.
import { Browser, describe, hasButton } from "./browser.mjs";

const mostPages = 8;

/**
 * Opens the authorization URL, signs in when asked, agrees when asked (after changing the boxes named in `boxes`), and
 * returns the URL the server sends the client back to, with the pages seen on the way and the browser as it is then.
 */
export async function agree(authorizationUrl, { email, password, redirectUri, button = "Allow", boxes = {} }) {
  const browser = new Browser(redirectUri);
  const pages = [];
  let at = await browser.open(authorizationUrl);
  while (!at.callback && pages.length < mostPages) {
    pages.push({ path: at.url.pathname, title: at.title, boxes: boxesOf(at) });
    at = await step(browser, at);
  }

  if (!at.callback) {
    throw new Error(`${describe(at)} came after ${mostPages} others and is not the end.`);
  }

  return { callback: at.callback, pages, browser };

  function step(browser, page) {
    const sameAgain = pages.filter(({ path, title }) => path === page.url.pathname && title === page.title).length > 2;
    if (!sameAgain && hasButton(page, "Sign in")) {
      return browser.press(page, "Sign in", { Email: email, Password: password });
    }

    if (!sameAgain && hasButton(page, button)) {
      return browser.press(page, button, boxes);
    }

    throw new Error(`${describe(page)} is neither sign-in nor consent.`);
  }
}

const boxesOf = page => page.forms.flatMap(form => form.fields)
  .filter(field => field.isBox)
  .map(field => ({ name: field.name, checked: field.isChecked }));
