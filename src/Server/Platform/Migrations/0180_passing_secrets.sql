-- The secret before the present one, good for a while beside it, so that whoever uses it has time to change.
alter table clients add column old_secret_hash text;
alter table clients add column old_secret_until bigint;
