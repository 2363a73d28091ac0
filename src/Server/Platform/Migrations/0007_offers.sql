-- The tools of a server when a person last let a copy of a client in there: what is not among them is new the next time.
-- tools is a JSON list of name, definition hash and whether it was left on.
create table offers (
  tenant text not null,
  installation text not null,
  resource text not null,
  tools text not null,
  agreed_at bigint not null,
  primary key (tenant, installation, resource)
);
