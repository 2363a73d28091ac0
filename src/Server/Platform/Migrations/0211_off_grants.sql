-- What the assertions of an issuer stand for is found without a walk over all others.
create index grants_approved on grants (tenant, approved_by) where approved_by is not null and revoked_at is null;
