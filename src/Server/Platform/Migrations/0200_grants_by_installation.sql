-- All that one copy of a client was let in for is found without a walk over all others.
create index grants_installation on grants (tenant, installation) where installation is not null and revoked_at is null;
