-- What the newest refresh token was asked for with, and which answer was last given a second time, and when: a repeat
-- without proof must be the same request, and must not follow upon another.
alter table families add column asked text not null default '';
alter table families add column repeated bigint not null default -1;
alter table families add column repeated_at bigint not null default 0;
