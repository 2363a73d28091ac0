-- The key that the tokens of a line were last bound to; empty while they are bound to none.
alter table families add column bound_to text not null default '';

-- DPoP proofs that were used at any node, until they are too old to be taken. The name is a digest of key, address and
-- identifier, so that it is no other tenant's.
create table used_proofs (
  name text primary key,
  expires_at bigint not null
);
create index used_proofs_expiry on used_proofs (expires_at);
