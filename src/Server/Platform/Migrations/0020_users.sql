-- People. email is what they typed, email_normal what is compared.
create table users (
  tenant text not null,
  id text not null,
  email text not null,
  email_normal text not null,
  password_hash text,
  roles text not null,
  created_at bigint not null,
  disabled_at bigint,
  primary key (tenant, id)
);
create unique index users_email on users (tenant, email_normal);

-- WebAuthn credentials; the identifier is base64url, as browsers send it.
create table passkeys (
  tenant text not null,
  id text not null,
  subject text not null,
  name text not null,
  public_key bytea not null,
  sign_count bigint not null,
  transports text not null,
  is_backup_eligible boolean not null,
  is_backed_up boolean not null,
  created_at bigint not null,
  primary key (tenant, id)
);
create index passkeys_subject on passkeys (tenant, subject);

-- Signed-in browsers. The identifier is the SHA-256 of the cookie; what is not here is signed out.
create table sessions (
  tenant text not null,
  id text not null,
  subject text not null,
  method text not null,
  device text not null,
  created_at bigint not null,
  seen_at bigint not null,
  primary key (tenant, id)
);
create index sessions_subject on sessions (tenant, subject, created_at);

-- Links that make the first administrator, by their SHA-256; good once.
create table setup_links (
  tenant text not null,
  id text not null,
  expires_at bigint not null,
  primary key (tenant, id)
);
