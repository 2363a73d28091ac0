-- OpenID Connect. A grant knows the sign-in behind it: session is the browser session it belongs to now (a session that
-- is renewed hands it on), sid what its client calls that session, acr how strong the sign-in was. claims names what the
-- client asked for one by one, beyond its scopes.
alter table grants add column session text;
alter table grants add column sid text;
alter table grants add column acr text;
alter table grants add column claims text;
create index grants_session on grants (tenant, session) where session is not null;

-- What clients may be told of a person, when they agree.
alter table users add column name text;
alter table users add column email_verified boolean not null default false;

-- Makes a person's name at one site say nothing at another. Sealed; lost, every such name would be another.
create table pairwise_salts (
  tenant text primary key,
  sealed bytea not null
);
