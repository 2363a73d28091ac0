-- Sessions of legacy MCP clients, so that any node can serve any request. The handle is kept as a hash, the upstream's
-- own identifier sealed.
create table gateway_sessions (
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
create index gateway_sessions_owner on gateway_sessions (tenant, subject, client, seen_at);
create index gateway_sessions_seen on gateway_sessions (seen_at);
