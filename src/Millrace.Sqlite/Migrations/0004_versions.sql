-- Which version of an application runs where, when a new one came, and when a change of many jobs went on last.

-- Null: a process of an older version of Millrace.
alter table millrace_node add column application text;
alter table millrace_node add column version text;

-- A version that came to be among the living nodes of an application, where another was before: marks on charts.
create table millrace_deployment (
    application text        not null,
    at          integer     not null,
    version     text        not null,
    primary key (application, at)
) without rowid;

-- touched: null until the first batch. One that is open and has not been touched for long has lost its process; upkeep closes it.
alter table millrace_operation add column touched integer;
create index millrace_operation_open on millrace_operation (id) where ended is null;
