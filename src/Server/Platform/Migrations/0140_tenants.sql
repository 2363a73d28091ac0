-- Tenants beside the one of the configuration. The identifier is made for each and never given again, so a name that is
-- used again inherits nothing. A row that is removed stays for a while: its data goes in pieces.
create table tenants (
  tenant text primary key,
  name text not null,
  host text,
  access_lifetime bigint not null,
  refresh_idle bigint not null,
  refresh_absolute bigint not null,
  most_servers bigint not null,
  most_clients bigint not null,
  created_at bigint not null,
  removed_at bigint
);
create unique index tenants_name on tenants (name) where removed_at is null;
create unique index tenants_host on tenants (host) where removed_at is null;
