-- The clients that the configuration named at the last start, so that the grants of one that it names no more can end.
create table configured_clients (
  tenant text not null,
  client_id text not null,
  primary key (tenant, client_id)
);
