-- The log. Nothing updates or deletes a row. place is the number of the tenant × 2^40 + seq: one tree, in the order of
-- writing, so that a transaction of entries touches as few pages as it can. record is the canonical JSON (RFC 8785)
-- whose leaf hash (RFC 6962) stands beside it.
create table audit_entries (
  place integer primary key,
  at bigint not null,
  kind text not null,
  grant_id text,
  subject text,
  record text not null,
  leaf bytea not null
);

-- The end of each tenant's chain. Its row lock orders the entries of all nodes.
create table audit_heads (
  tenant text primary key,
  number bigint not null unique,
  seq bigint not null,
  leaf bytea not null
);
insert into audit_heads values ('default', 0, -1, '');

-- Whose the commitments are. Deleting a row (with its key) makes a person's entries anonymous and breaks no proof.
create table audit_subjects (
  tenant text not null,
  subject text not null,
  pseudonym text not null,
  sealed bytea not null,
  primary key (tenant, subject)
);
create index audit_subjects_pseudonym on audit_subjects (tenant, pseudonym);
