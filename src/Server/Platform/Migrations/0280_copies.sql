-- Which copy of a client a line belongs to, beside the key its tokens are bound to: it brings both, or gets nothing.
alter table families add column instance text not null default '';
update families set instance = bound_to, bound_to = '' where bound_to like 'instance:%';
