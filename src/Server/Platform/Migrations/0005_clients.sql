-- Clients that registered themselves, and the documents of clients that somebody let in. Configured clients are not stored.
create table clients (
  tenant text not null,
  id text not null,
  source text not null,
  metadata text not null,
  secret_hash text,
  created_at bigint not null,
  used_at bigint not null,
  primary key (tenant, id)
);
create index clients_unused on clients (tenant, source, used_at);

-- Values that are good once (client assertions), kept until they would have expired by themselves.
create table used_once (
  tenant text not null,
  purpose text not null,
  value text not null,
  expires_at bigint not null,
  primary key (tenant, purpose, value)
);
create index used_once_expiry on used_once (expires_at);

-- Access tokens that were handed back, until they would have expired by themselves.
create table revoked_tokens (
  tenant text not null,
  token_id text not null,
  expires_at bigint not null,
  primary key (tenant, token_id)
);
create index revoked_tokens_expiry on revoked_tokens (expires_at);
