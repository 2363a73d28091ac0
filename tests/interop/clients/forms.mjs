// The forms of a page, with fields and buttons under the names that assistive technology would speak.
import { parse } from "parse5";

const attribute = (node, name) => node.attrs?.find(candidate => candidate.name === name)?.value;

function* walk(node) {
  yield node;
  for (const child of node.childNodes ?? []) {
    yield* walk(child);
  }
}

const hidden = new Set(["script", "style", "template", "head"]);

function spoken(node) {
  if (node.nodeName === "#text") {
    return node.value;
  }

  return hidden.has(node.nodeName) ? "" : (node.childNodes ?? []).map(spoken).join(" ");
}

const tidy = text => text.replace(/\s+/g, " ").trim();

export const titleOf = html => tidy([...walk(parse(html))].filter(n => n.nodeName === "title").map(
  title => title.childNodes.map(child => child.value).join("")).join(""));

export const textOf = html => tidy(spoken(parse(html)));

export function formsOf(html) {
  const nodes = [...walk(parse(html))];
  return nodes.filter(node => node.nodeName === "form").map(form => {
    const controls = nodes.filter(node => isControl(node) && ownerOf(node, nodes) === form);
    const fields = controls.filter(node => !isButton(node)).map(node => new Field(node, nameOf(node, nodes)));
    return {
      action: attribute(form, "action"),
      method: (attribute(form, "method") ?? "get").toLowerCase(),
      fields,
      buttons: controls.filter(isButton).map(node => ({
        name: nameOf(node, nodes),
        action: attribute(node, "formaction"),
        entry: attribute(node, "name") ? [[attribute(node, "name"), attribute(node, "value") ?? ""]] : [],
      })),
      entries: () => fields.flatMap(field => field.entries()),
    };
  });
}

const isControl = ({ nodeName, ...node }) =>
  ["input", "select", "textarea", "button"].includes(nodeName) && attribute(node, "disabled") === undefined;

const isButton = node => node.nodeName === "button"
  ? (attribute(node, "type") ?? "submit") === "submit"
  : node.nodeName === "input" && attribute(node, "type") === "submit";

function ownerOf(node, nodes) {
  const id = attribute(node, "form");
  if (id !== undefined) {
    return nodes.find(candidate => candidate.nodeName === "form" && attribute(candidate, "id") === id);
  }

  return closest(node, "form");
}

function closest(node, name) {
  for (let at = node.parentNode; at; at = at.parentNode) {
    if (at.nodeName === name) {
      return at;
    }
  }

  return undefined;
}

/** The accessible name: aria-label, aria-labelledby, a label, then what the button says. */
function nameOf(node, nodes) {
  const byId = id => nodes.find(candidate => attribute(candidate, "id") === id);
  const id = attribute(node, "id");
  const label = nodes.find(candidate => candidate.nodeName === "label" && id && attribute(candidate, "for") === id)
    ?? closest(node, "label");
  const labelledBy = attribute(node, "aria-labelledby")?.split(/\s+/).map(byId).filter(Boolean).map(spoken).join(" ");
  const own = node.nodeName === "button" ? spoken(node) : isButton(node) ? attribute(node, "value") : undefined;
  const spokenLabel = label && spoken(label);
  return tidy(labelledBy ?? attribute(node, "aria-label") ?? spokenLabel ?? own ?? attribute(node, "title") ?? "");
}

class Field {
  #name;
  #kind;
  #value;
  #checked;

  constructor(node, name) {
    this.name = name;
    this.#name = attribute(node, "name");
    this.#kind = node.nodeName === "input" ? (attribute(node, "type") ?? "text").toLowerCase() : node.nodeName;
    this.#checked = attribute(node, "checked") !== undefined;
    this.#value = valueOf(node, this.#kind);
  }

  get isBox() {
    return this.#kind === "checkbox" || this.#kind === "radio";
  }

  get isChecked() {
    return this.#checked;
  }

  /** True or false for a box, text for anything else. */
  set(value) {
    if (this.isBox) {
      this.#checked = value;
    } else {
      this.#value = value;
    }
  }

  entries() {
    const isData = !["button", "reset", "image", "file"].includes(this.#kind) && (!this.isBox || this.#checked);
    return this.#name && isData ? [[this.#name, this.#value]] : [];
  }
}

function valueOf(node, kind) {
  if (kind === "select") {
    const options = [...walk(node)].filter(candidate => candidate.nodeName === "option");
    const chosen = options.find(option => attribute(option, "selected") !== undefined) ?? options[0];
    return chosen ? attribute(chosen, "value") ?? tidy(spoken(chosen)) : "";
  }

  return kind === "textarea"
    ? spoken(node)
    : attribute(node, "value") ?? (kind === "checkbox" || kind === "radio" ? "on" : "");
}
