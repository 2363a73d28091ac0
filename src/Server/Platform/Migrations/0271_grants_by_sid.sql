-- What a client was let in for in the session that it calls by a name is found by that name.
create index grants_sid on grants (tenant, sid) where sid is not null and revoked_at is null;
