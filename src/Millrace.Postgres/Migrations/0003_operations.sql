-- What people look at and do: the catalogue of types, roll-ups of ended attempts, the audit with what an undo needs, pauses with a reason and an end.
-- Runs with search_path set to the schema of Millrace's tables.

-- What others can know of a type without its code. Written by each process that registers it, when something changed or an hour is over.
create table job_type (
    name          text        primary key,
    aliases       text[]      not null,
    queue         text        not null,
    max_attempts  integer     not null,
    timeout       interval,
    retry         text,
    is_isolated   boolean     not null,
    schema        text,
    first_seen    timestamptz not null,
    last_seen     timestamptz not null
);

-- Ended attempts by minute, one row for each node; folded into hours, over all nodes, after two days. wait and run are histograms.
create table stat_minute (
    bucket      timestamptz not null,
    queue       text        not null,
    type        text        not null,
    outcome     text        not null,
    node        uuid        not null,
    count       bigint      not null,
    wait        bytea       not null,
    run         bytea       not null,
    primary key (bucket, queue, type, outcome, node)
);

create table stat_hour (
    bucket      timestamptz not null,
    queue       text        not null,
    type        text        not null,
    outcome     text        not null,
    node        uuid        not null,
    count       bigint      not null,
    wait        bytea       not null,
    run         bytea       not null,
    primary key (bucket, queue, type, outcome, node)
);

-- Who did what. ended: null while it goes on. undo_until: null for what cannot be undone.
create sequence operation_id as bigint;
create table operation (
    id          bigint      primary key default nextval('operation_id'),
    kind        text        not null,
    at          timestamptz not null,
    by          text        not null,
    via         text        not null,
    reason      text,
    target      text        not null,
    job_id      bigint,
    expected    bigint      not null default 0,
    done        bigint      not null default 0,
    skipped     bigint      not null default 0,
    ended       timestamptz,
    error       text,
    before      text,
    after       text,
    undo_until  timestamptz,
    undone_by   bigint
);
create index operation_at on operation (at);
create index operation_job_id on operation (job_id, id) where job_id is not null;

-- The jobs that an operation changed. before: JSON, what an undo needs.
create table operation_job (
    operation   bigint      not null,
    job_id      bigint      not null,
    before      text        not null,
    primary key (operation, job_id)
);
create index operation_job_job_id on operation_job (job_id);

-- Jobs that are out of every list, and are removed when remove_at of their attempts has come, unless the operation is undone before.
create table deleted_job (
    job_id      bigint      primary key,
    operation   bigint      not null,
    at          timestamptz not null
);

-- Columns without a default need no rewrite. A pause whose resume_at has come is none; upkeep clears it.
alter table queue
    add column paused_at timestamptz,
    add column paused_by text,
    add column pause_reason text,
    add column resume_at timestamptz;

alter table schedule
    add column paused_at timestamptz,
    add column paused_by text,
    add column pause_reason text,
    add column resume_at timestamptz;

-- drain_at: a person asked the node to claim no more.
alter table node
    add column drain_at timestamptz,
    add column drain_by text,
    add column drain_reason text;

-- The runs of a schedule, and the children of a job, in the order of their ids. Building an index here keeps submitters out until the
-- commit: moments for a table of this size. For a larger one doctor gives the statement that builds it without that; until then these two lists
-- search by id.
do $$
begin
    if pg_relation_size('job') < 128 * 1024 * 1024 then
        create index job_schedule on job (schedule, id) where schedule is not null;
        create index job_parent on job (parent, id) where parent is not null;
    end if;
end
$$;

-- A member of a job's data as text, for filters. Null when it is not there, and for data in which it cannot be looked up: one row must not fail the search of all.
create function data_text(data text, path text[]) returns text
language plpgsql immutable strict parallel restricted
as $$
begin
    return data::json #>> path;
exception
    when others then
        return null;
end
$$;
