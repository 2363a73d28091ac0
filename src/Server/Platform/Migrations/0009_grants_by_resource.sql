-- A server that is removed takes its grants along; they are found without a walk over all others.
create index grants_resource on grants (tenant, resource) where revoked_at is null;
