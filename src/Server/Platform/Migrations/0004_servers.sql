-- MCP servers that were added by the API; those of the configuration are not stored.
create table servers (
  tenant text not null,
  name text not null,
  settings text not null,
  created_at bigint not null,
  primary key (tenant, name)
);

-- What each server last said of its tools, so that a consent page need not wake it.
create table catalogues (
  tenant text not null,
  server text not null,
  tools text not null,
  seen_at bigint not null,
  primary key (tenant, server)
);
