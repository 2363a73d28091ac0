-- The places of living access tokens in the status lists: which token stands where, drawn at random.
create table token_statuses (
  tenant text not null,
  list bigint not null,
  place bigint not null,
  token_id text not null,
  grant_id text not null,
  expires_at bigint not null,
  primary key (tenant, list, place)
);
create index token_statuses_expiry on token_statuses (expires_at);
