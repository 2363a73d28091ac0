-- Clients that are to be told that a session ended, until they were, or for a day. due_at is when to try next.
create table logouts (
  tenant text not null,
  client_id text not null,
  sid text not null,
  subject text not null,
  attempts bigint not null,
  due_at bigint not null,
  primary key (tenant, client_id, sid)
);
create index logouts_due on logouts (due_at);
