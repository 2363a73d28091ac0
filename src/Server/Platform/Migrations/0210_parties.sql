-- Who is switched off: nothing stands here for what is on. kind is client, user, agent, organization or
-- identity_provider (an issuer whose assertions are grants).
create table switched_off (
  tenant text not null,
  kind text not null,
  id text not null,
  since bigint not null,
  by_whom text not null,
  reason text,
  primary key (tenant, kind, id)
);
insert into switched_off (tenant, kind, id, since, by_whom)
select tenant, 'user', id, disabled_at, 'an earlier version' from users where disabled_at is not null;
alter table users drop column disabled_at;

-- Software that acts with a purpose, and the person who answers for it. With jwks it is a client itself, by its id.
create table agents (
  tenant text not null,
  id text not null,
  name text not null,
  owner text not null,
  purpose text not null,
  ends_at bigint not null,
  jwks text,
  scope text,
  servers text not null,
  is_configured boolean not null,
  created_at bigint not null,
  primary key (tenant, id)
);
-- By which clients it comes; a client is one agent's.
create table agent_clients (
  tenant text not null,
  client_id text not null,
  agent_id text not null,
  primary key (tenant, client_id)
);
create index agent_clients_of on agent_clients (tenant, agent_id);

-- Companies inside a tenant, and who belongs to one: kind is user, agent or identity_provider.
create table organizations (
  tenant text not null,
  id text not null,
  name text not null,
  created_at bigint not null,
  primary key (tenant, id)
);
create table organization_members (
  tenant text not null,
  kind text not null,
  id text not null,
  organization text not null,
  primary key (tenant, kind, id)
);
create index organization_members_of on organization_members (tenant, organization);
