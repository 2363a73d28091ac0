-- The tokens that a listed one came from by exchange, with a blank before and behind each: it ends with each of them.
alter table token_statuses add column ancestors text;
