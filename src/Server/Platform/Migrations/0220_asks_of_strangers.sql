-- Whether anybody could have put the question: such are counted by network and for themselves, and take nothing from clients
-- that an operator knows.
alter table asks add column by_stranger boolean not null default true;
