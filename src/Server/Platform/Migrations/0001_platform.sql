-- The change feed: what other nodes must drop from memory. Numbered under the lock of change_head.
create table change_head (id bigint not null);
insert into change_head values (0);
create table changes (
  id bigint primary key,
  tenant text not null,
  kind text not null,
  key text not null,
  node text not null,
  at bigint not null
);
create index changes_at on changes (at);

-- Signing keys. The private half is sealed; a key is published before it signs and stays until its last token has expired.
create table signing_keys (
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

-- Proof that a node holds the right master key before it seals or opens anything.
create table master_keys (
  key_id text primary key,
  proof text not null,
  created_at bigint not null
);
