-- Operators look at the newest clients first.
create index clients_age on clients (tenant, created_at, id);
