-- How much was spent of a detail of a grant, in its one spelling: an exact decimal, which no type of both databases is.
create table spend_totals (
  tenant text not null,
  grant_id text not null,
  detail bigint not null,
  spent text not null,
  primary key (tenant, grant_id, detail)
);
