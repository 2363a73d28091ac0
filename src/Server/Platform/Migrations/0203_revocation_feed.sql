-- At which resource a token that was handed back was good: only that one is told.
alter table revoked_tokens add column resource text not null default '';
-- What ended lately at a resource, for a resource server that comes back.
create index grants_ended on grants (tenant, resource, revoked_at, id) where revoked_at is not null;
