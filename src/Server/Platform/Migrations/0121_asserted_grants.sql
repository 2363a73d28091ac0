-- Who agreed in the person's stead: the identity provider or the server whose assertion made the grant.
alter table grants add column approved_by text;

-- Whom another issuer means by a subject of its own. The realm is its tenant, empty when it has none.
create table foreign_subjects (
  tenant text not null,
  issuer text not null,
  realm text not null,
  subject text not null,
  user_id text not null,
  created_at bigint not null,
  primary key (tenant, issuer, realm, subject)
);
