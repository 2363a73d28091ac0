-- Who lets whom do what, where, until when. A grant never changes but to end.
create table grants (
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
  revoked_because text,
  primary key (tenant, id)
);
create index grants_subject on grants (tenant, subject, id);
create index grants_client on grants (tenant, client_id, id);
create unique index grants_own on grants (tenant, own_key);

-- The one-time code and the refresh tokens of a grant are one line of generations: the code is 0, each rotation one more.
create table families (
  tenant text not null,
  grant_id text not null,
  generation bigint not null,
  rotated_at bigint not null,
  idle_until bigint not null,
  holder text not null,
  primary key (tenant, grant_id)
);
