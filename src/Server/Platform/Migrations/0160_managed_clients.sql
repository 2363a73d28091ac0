-- SHA-256 of the token by which a self-registered client manages its registration (RFC 7592).
alter table clients add column registration_hash text;
