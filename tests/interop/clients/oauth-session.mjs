// The OAuth side of an MCP client: what an application keeps for the SDKs of the Model Context Protocol, old and new.
import { randomBytes } from "node:crypto";
import { agree } from "./person.mjs";

export class OAuthSession {
  #settings;
  #verifier;
  #client;
  #tokens;
  #authorizationUrl;
  #discovered;

  constructor(settings) {
    this.#settings = settings;
    this.clientMetadataUrl = settings["metadata-url"];
    this.registration = settings["client-id"] ? "given" : this.clientMetadataUrl ? "metadata document" : "dynamic";
    this.pages = [];
    if (settings["client-id"]) {
      const [client_id, client_secret] = [settings["client-id"], settings["client-secret"]];
      this.#client = { client_id, client_secret, issuer: settings.base };
    }
  }

  get redirectUrl() {
    return this.#settings.redirect;
  }

  get clientMetadata() {
    return {
      client_name: "Interop client",
      redirect_uris: [this.redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: this.#settings["client-secret"] ? "client_secret_basic" : "none",
      application_type: "native",
      ...(this.#settings.scope && { scope: this.#settings.scope }),
    };
  }

  state() {
    return randomBytes(16).toString("base64url");
  }

  clientInformation() {
    return this.#client;
  }

  saveClientInformation(client) {
    this.#client = client;
  }

  tokens() {
    return this.#tokens;
  }

  saveTokens(tokens) {
    this.#tokens = tokens;
  }

  saveDiscoveryState(discovered) {
    this.#discovered = discovered;
  }

  discoveryState() {
    return this.#discovered;
  }

  redirectToAuthorization(url) {
    this.#authorizationUrl = url;
  }

  saveCodeVerifier(verifier) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }

  /** Sends the person to the server and returns the parameters they come back with. */
  async askPerson() {
    const { email, password, boxes } = this.#settings;
    const person = { email, password, redirectUri: this.redirectUrl, boxes: JSON.parse(boxes) };
    const { callback, pages } = await agree(this.#authorizationUrl, person);
    this.pages.push(...pages);
    const parameters = callback.searchParams;
    const asked = this.#authorizationUrl.searchParams.get("state");
    if (parameters.get("state") !== asked) {
      throw new Error("The state that came back is not the state that was sent.");
    }

    return parameters;
  }
}
