-- How busy each process is, as it says with its beat.
-- Runs with search_path set to the schema of Millrace's tables.

-- cpu: processor time over the time since its last beat, 1 for one core. memory: working set in bytes. pool_queue: work that waits for a thread of
-- the pool. Null: not known, as with a process of an older version of Millrace.
alter table node
    add column cpu double precision,
    add column memory bigint,
    add column pool_queue bigint;
