-- Which settings are in force in each process.
-- Runs with search_path set to the schema of Millrace's tables.

-- A JSON array of name, value and source, written when the node registers. Null: a process of an older version of Millrace.
alter table node
    add column settings text;
