-- Which version of an application runs where, when a new one came, and when a change of many jobs went on last.
-- Runs with search_path set to the schema of Millrace's tables.

-- Null: a process of an older version of Millrace.
alter table node
    add column application text,
    add column version text;

-- A version that came to be among the living nodes of an application, where another was before: marks on charts.
create table deployment (
    application text        not null,
    at          timestamptz not null,
    version     text        not null,
    primary key (application, at)
);

-- touched: null until the first batch. One that is open and has not been touched for long has lost its process; upkeep closes it.
alter table operation
    add column touched timestamptz;
create index operation_open on operation (id) where ended is null;
