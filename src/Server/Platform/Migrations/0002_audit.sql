-- The log. Nothing updates or deletes a row. record is the canonical JSON (RFC 8785) whose leaf hash (RFC 6962) stands beside it.
create table audit_entries (
  tenant text not null,
  seq bigint not null,
  id text not null,
  at bigint not null,
  kind text not null,
  grant_id text,
  subject text,
  record text not null,
  leaf bytea not null,
  primary key (tenant, seq)
);

-- The end of each tenant's chain. Its row lock orders the entries of all nodes.
create table audit_heads (
  tenant text primary key,
  seq bigint not null,
  leaf bytea not null
);
insert into audit_heads values ('default', -1, '');

-- Whose the commitments are. Deleting a row (with its key) makes a person's entries anonymous and breaks no proof.
create table audit_subjects (
  tenant text not null,
  subject text not null,
  pseudonym text not null,
  sealed bytea not null,
  primary key (tenant, subject)
);
create index audit_subjects_pseudonym on audit_subjects (tenant, pseudonym);
