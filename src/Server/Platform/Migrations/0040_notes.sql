-- The demo server `notes`: each person's own, and few enough that nobody can fill the disk.
create table notes (
  tenant text not null,
  subject text not null,
  number bigint not null,
  title text not null,
  body text not null,
  updated_at bigint not null,
  primary key (tenant, subject, number)
);
