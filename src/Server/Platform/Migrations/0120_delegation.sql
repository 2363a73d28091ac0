-- A grant that was passed on: from which, where that chain begins, and who acts (JSON, the presenter first).
alter table grants add column parent_id text;
alter table grants add column root_id text;
alter table grants add column actors text;

-- Whoever ends a grant ends all that was passed on from it.
create index grants_root on grants (tenant, root_id) where root_id is not null;
