-- The key that was proven when a question was put: whoever fetches the answer proves the same.
alter table asks add column holder text;
