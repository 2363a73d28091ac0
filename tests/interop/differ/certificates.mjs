// What is answered to clients that prove themselves by certificates (RFC 8705), which a proxy hands on (RFC 9440).
import { claims, secret } from "./asker.mjs";

const own = (at, client_id, certificate, changes = {}) => at.post(
  "token_endpoint",
  { grant_type: "client_credentials", client_id, scope: "mcp:read", resource: at.resource, ...changes },
  certificate ? { "client-cert": `:${certificate}:` } : {});

const issued = at => JSON.parse(at.settings.certificates).issued;
const self = at => JSON.parse(at.settings.certificates).self;
const stranger = at => JSON.parse(at.settings.certificates).stranger;

export const certificates = {
  "certificate, tls_client_auth": at => own(at, "issued", issued(at)),
  "certificate, tls_client_auth, without one": at => own(at, "issued"),
  "certificate, tls_client_auth, that nobody issued": at => own(at, "issued", self(at)),
  "certificate, tls_client_auth, of the same name that nobody issued": at => own(at, "issued", stranger(at)),
  "certificate, tls_client_auth, that is none": at => own(at, "issued", "AAAA"),
  "certificate, tls_client_auth, with a secret beside": at => own(
    at, "issued", issued(at), { client_secret: secret }),
  "certificate, self_signed_tls_client_auth": at => own(at, "self", self(at)),
  "certificate, self_signed_tls_client_auth, without one": at => own(at, "self"),
  "certificate, self_signed_tls_client_auth, another's": at => own(at, "self", stranger(at)),
  "certificate, bound token, claims": async at => claims((await (await own(at, "self", self(at))).json()).access_token),
  "certificate, bound token, confirmation": async at => {
    const { access_token } = await (await own(at, "self", self(at))).json();
    return Object.keys(JSON.parse(Buffer.from(access_token.split(".")[1], "base64url")).cnf ?? {}).join(" ");
  },
};
