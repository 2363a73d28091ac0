-- What a person agreed to beyond tools (RFC 9396), in its one spelling.
alter table grants add column details text;

-- How often the calls of a grant were counted in the minute, hour or day that began then; a row for each detail that counts.
create table call_counts (
  tenant text not null,
  grant_id text not null,
  detail bigint not null,
  began_at bigint not null,
  calls bigint not null,
  primary key (tenant, grant_id, detail)
);
