-- Questions put to people: a client asks, a person answers once, the client comes for the answer. id is that of the grant
-- it may become; wish is JSON; open_key is the same for requests that are the same, while they wait. user_code is good for
-- minutes, and to nobody but the first person who brings it.
create table asks (
  tenant text not null,
  id text not null,
  way text not null,
  client_id text not null,
  subject text,
  session text,
  wish text not null,
  message text,
  network text not null,
  open_key text,
  user_code text,
  notify text,
  state text not null,
  created_at bigint not null,
  expires_at bigint not null,
  decided_at bigint,
  primary key (tenant, id)
);
create unique index asks_open on asks (tenant, open_key);
create unique index asks_user_code on asks (tenant, user_code);
create index asks_waiting on asks (tenant, state, expires_at);
create index asks_expiry on asks (expires_at);
