-- How busy each process is, as it says with its beat.

-- cpu: processor time over the time since its last beat, 1 for one core. memory: working set in bytes. pool_queue: work that waits for a thread of
-- the pool. Null: not known, as with a process of an older version of Millrace.
alter table millrace_node add column cpu real;
alter table millrace_node add column memory integer;
alter table millrace_node add column pool_queue integer;
