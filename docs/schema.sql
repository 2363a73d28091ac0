-- The tables as the migrations leave them. On PostgreSQL they are the same.

CREATE TABLE agent_clients (
  tenant text not null,
  client_id text not null,
  agent_id text not null,
  primary key (tenant, client_id)
);
CREATE INDEX agent_clients_of on agent_clients (tenant, agent_id);
CREATE TABLE agents (
  tenant text not null,
  id text not null,
  name text not null,
  owner text not null,
  purpose text not null,
  ends_at bigint not null,
  jwks text,
  scope text,
  servers text not null,
  is_configured boolean not null,
  created_at bigint not null,
  primary key (tenant, id)
);
CREATE TABLE asks (
  tenant text not null,
  id text not null,
  way text not null,
  client_id text not null,
  subject text,
  session text,
  wish text not null,
  message text,
  network text not null,
  open_key text,
  user_code text,
  notify text,
  state text not null,
  created_at bigint not null,
  expires_at bigint not null,
  decided_at bigint, holder text, by_stranger boolean not null default true,
  primary key (tenant, id)
);
CREATE INDEX asks_expiry on asks (expires_at);
CREATE UNIQUE INDEX asks_open on asks (tenant, open_key);
CREATE UNIQUE INDEX asks_user_code on asks (tenant, user_code);
CREATE INDEX asks_waiting on asks (tenant, state, expires_at);
CREATE TABLE audit_entries (
  place integer primary key,
  at bigint not null,
  kind text not null,
  grant_id text,
  subject text,
  record text not null,
  leaf bytea not null
);
CREATE TABLE audit_heads (
  tenant text primary key,
  number bigint not null unique,
  seq bigint not null,
  leaf bytea not null
);
CREATE TABLE audit_subjects (
  tenant text not null,
  subject text not null,
  pseudonym text not null,
  sealed bytea not null,
  primary key (tenant, subject)
);
CREATE INDEX audit_subjects_pseudonym on audit_subjects (tenant, pseudonym);
CREATE TABLE call_counts (
  tenant text not null,
  grant_id text not null,
  detail bigint not null,
  began_at bigint not null,
  calls bigint not null,
  primary key (tenant, grant_id, detail)
);
CREATE TABLE catalogues (
  tenant text not null,
  server text not null,
  tools text not null,
  seen_at bigint not null,
  primary key (tenant, server)
);
CREATE TABLE change_head (id bigint not null);
CREATE TABLE changes (
  id bigint primary key,
  tenant text not null,
  kind text not null,
  key text not null,
  node text not null,
  at bigint not null
);
CREATE INDEX changes_at on changes (at);
CREATE TABLE clients (
  tenant text not null,
  id text not null,
  source text not null,
  metadata text not null,
  secret_hash text,
  created_at bigint not null,
  used_at bigint not null, registration_hash text, old_secret_hash text, old_secret_until bigint,
  primary key (tenant, id)
);
CREATE INDEX clients_age on clients (tenant, created_at, id);
CREATE INDEX clients_unused on clients (tenant, source, used_at);
CREATE TABLE configured_clients (
  tenant text not null,
  client_id text not null,
  primary key (tenant, client_id)
);
CREATE TABLE families (
  tenant text not null,
  grant_id text not null,
  generation bigint not null,
  rotated_at bigint not null,
  idle_until bigint not null,
  holder text not null, bound_to text not null default '', asked text not null default '', repeated bigint not null default -1, repeated_at bigint not null default 0, instance text not null default '',
  primary key (tenant, grant_id)
);
CREATE TABLE foreign_subjects (
  tenant text not null,
  issuer text not null,
  realm text not null,
  subject text not null,
  user_id text not null,
  created_at bigint not null,
  primary key (tenant, issuer, realm, subject)
);
CREATE TABLE gateway_sessions (
  tenant text not null,
  id text not null,
  server text not null,
  subject text not null,
  client text not null,
  grant_id text not null,
  version text not null,
  capabilities text not null,
  client_info text,
  log_level text,
  upstream_version text not null,
  upstream_session text,
  seen_at bigint not null,
  primary key (tenant, id)
);
CREATE INDEX gateway_sessions_owner on gateway_sessions (tenant, subject, client, seen_at);
CREATE INDEX gateway_sessions_seen on gateway_sessions (seen_at);
CREATE TABLE grants (
  tenant text not null,
  id text not null,
  subject text not null,
  is_own boolean not null,
  own_key text,
  client_id text not null,
  client_name text not null,
  client_hash text,
  installation text,
  installation_name text,
  resource text not null,
  scopes text not null,
  tools text,
  auth_time bigint,
  created_at bigint not null,
  expires_at bigint not null,
  used_at bigint,
  revoked_at bigint,
  revoked_because text, details text, parent_id text, root_id text, actors text, approved_by text, session text, sid text, acr text, claims text,
  primary key (tenant, id)
);
CREATE INDEX grants_approved on grants (tenant, approved_by) where approved_by is not null and revoked_at is null;
CREATE INDEX grants_client on grants (tenant, client_id, id);
CREATE INDEX grants_ended on grants (tenant, resource, revoked_at, id) where revoked_at is not null;
CREATE INDEX grants_installation on grants (tenant, installation) where installation is not null and revoked_at is null;
CREATE UNIQUE INDEX grants_own on grants (tenant, own_key);
CREATE INDEX grants_resource on grants (tenant, resource) where revoked_at is null;
CREATE INDEX grants_root on grants (tenant, root_id) where root_id is not null;
CREATE INDEX grants_session on grants (tenant, session) where session is not null;
CREATE INDEX grants_sid on grants (tenant, sid) where sid is not null and revoked_at is null;
CREATE INDEX grants_subject on grants (tenant, subject, id);
CREATE TABLE installations (
  tenant text not null,
  id text not null,
  subject text not null,
  client_id text not null,
  name text not null,
  first_seen bigint not null,
  last_seen bigint not null,
  primary key (tenant, id)
);
CREATE TABLE logouts (
  tenant text not null,
  client_id text not null,
  sid text not null,
  subject text not null,
  attempts bigint not null,
  due_at bigint not null,
  primary key (tenant, client_id, sid)
);
CREATE INDEX logouts_due on logouts (due_at);
CREATE TABLE master_keys (
  key_id text primary key,
  proof text not null,
  created_at bigint not null
);
CREATE TABLE migrations (number bigint primary key, name text not null, applied_at bigint not null);
CREATE TABLE notes (
  tenant text not null,
  subject text not null,
  number bigint not null,
  title text not null,
  body text not null,
  updated_at bigint not null,
  primary key (tenant, subject, number)
);
CREATE TABLE offers (
  tenant text not null,
  installation text not null,
  resource text not null,
  tools text not null,
  agreed_at bigint not null,
  primary key (tenant, installation, resource)
);
CREATE TABLE organization_members (
  tenant text not null,
  kind text not null,
  id text not null,
  organization text not null,
  primary key (tenant, kind, id)
);
CREATE INDEX organization_members_of on organization_members (tenant, organization);
CREATE TABLE organizations (
  tenant text not null,
  id text not null,
  name text not null,
  created_at bigint not null,
  primary key (tenant, id)
);
CREATE TABLE pairwise_salts (
  tenant text primary key,
  sealed bytea not null
);
CREATE TABLE passkeys (
  tenant text not null,
  id text not null,
  subject text not null,
  name text not null,
  public_key bytea not null,
  sign_count bigint not null,
  transports text not null,
  is_backup_eligible boolean not null,
  is_backed_up boolean not null,
  created_at bigint not null,
  primary key (tenant, id)
);
CREATE INDEX passkeys_subject on passkeys (tenant, subject);
CREATE TABLE reference_tokens (
  tenant text not null,
  id text not null,
  claims text not null,
  expires_at bigint not null,
  primary key (tenant, id)
);
CREATE INDEX reference_tokens_expiry on reference_tokens (expires_at);
CREATE TABLE revoked_tokens (
  tenant text not null,
  token_id text not null,
  expires_at bigint not null, resource text not null default '',
  primary key (tenant, token_id)
);
CREATE INDEX revoked_tokens_expiry on revoked_tokens (expires_at);
CREATE TABLE servers (
  tenant text not null,
  name text not null,
  settings text not null,
  created_at bigint not null,
  primary key (tenant, name)
);
CREATE TABLE sessions (
  tenant text not null,
  id text not null,
  subject text not null,
  method text not null,
  device text not null,
  created_at bigint not null,
  seen_at bigint not null,
  primary key (tenant, id)
);
CREATE INDEX sessions_subject on sessions (tenant, subject, created_at);
CREATE TABLE setup_links (
  tenant text not null,
  id text not null,
  expires_at bigint not null,
  primary key (tenant, id)
);
CREATE TABLE signing_keys (
  tenant text not null,
  kid text not null,
  alg text not null,
  sealed bytea not null,
  public_jwk text not null,
  created_at bigint not null,
  signs_from bigint not null,
  signs_until bigint not null,
  published_until bigint not null,
  primary key (tenant, kid)
);
CREATE TABLE spend_totals (
  tenant text not null,
  grant_id text not null,
  detail bigint not null,
  spent text not null,
  primary key (tenant, grant_id, detail)
);
CREATE TABLE switched_off (
  tenant text not null,
  kind text not null,
  id text not null,
  since bigint not null,
  by_whom text not null,
  reason text,
  primary key (tenant, kind, id)
);
CREATE TABLE tenants (
  tenant text primary key,
  name text not null,
  host text,
  access_lifetime bigint not null,
  refresh_idle bigint not null,
  refresh_absolute bigint not null,
  most_servers bigint not null,
  most_clients bigint not null,
  created_at bigint not null,
  removed_at bigint
);
CREATE UNIQUE INDEX tenants_host on tenants (host) where removed_at is null;
CREATE UNIQUE INDEX tenants_name on tenants (name) where removed_at is null;
CREATE TABLE token_statuses (
  tenant text not null,
  list bigint not null,
  place bigint not null,
  token_id text not null,
  grant_id text not null,
  expires_at bigint not null, ancestors text,
  primary key (tenant, list, place)
);
CREATE INDEX token_statuses_expiry on token_statuses (expires_at);
CREATE TABLE used_once (
  tenant text not null,
  purpose text not null,
  value text not null,
  expires_at bigint not null,
  primary key (tenant, purpose, value)
);
CREATE INDEX used_once_expiry on used_once (expires_at);
CREATE TABLE used_proofs (
  name text primary key,
  expires_at bigint not null
);
CREATE INDEX used_proofs_expiry on used_proofs (expires_at);
CREATE TABLE users (
  tenant text not null,
  id text not null,
  email text not null,
  email_normal text not null,
  password_hash text,
  roles text not null,
  created_at bigint not null,
  name text, email_verified boolean not null default false,
  primary key (tenant, id)
);
CREATE UNIQUE INDEX users_email on users (tenant, email_normal);
