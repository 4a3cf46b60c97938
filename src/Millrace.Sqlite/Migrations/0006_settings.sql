-- Which settings are in force in each process.

-- A JSON array of name, value and source, written when the node registers. Null: a process of an older version of Millrace.
alter table millrace_node add column settings text;
