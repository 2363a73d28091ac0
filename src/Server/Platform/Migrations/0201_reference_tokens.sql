-- Access tokens that say nothing themselves, by their SHA-256: what each would say, until it ends.
create table reference_tokens (
  tenant text not null,
  id text not null,
  claims text not null,
  expires_at bigint not null,
  primary key (tenant, id)
);
create index reference_tokens_expiry on reference_tokens (expires_at);
