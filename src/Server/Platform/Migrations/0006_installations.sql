-- Copies of clients: one device of one person with one client. A grant names the copy it was made for.
create table installations (
  tenant text not null,
  id text not null,
  subject text not null,
  client_id text not null,
  name text not null,
  first_seen bigint not null,
  last_seen bigint not null,
  primary key (tenant, id)
);
