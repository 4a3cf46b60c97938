-- What people look at and do: the catalogue of types, roll-ups of ended attempts, the audit with what an undo needs, pauses with a reason and an end.

-- What others can know of a type without its code. Written by each process that registers it, when something changed or an hour is over.
create table millrace_job_type (
    name          text      primary key,
    aliases       text      not null,
    queue         text      not null,
    max_attempts  integer   not null,
    timeout       integer,                            -- microseconds
    retry         text,
    is_isolated   integer   not null,
    schema        text,
    first_seen    integer   not null,
    last_seen     integer   not null
) without rowid;

-- Ended attempts by minute, one row for each node; folded into hours, over all nodes, after two days. wait and run are histograms.
create table millrace_stat_minute (
    bucket      integer     not null,
    queue       text        not null,
    type        text        not null,
    outcome     text        not null,
    node        text        not null,
    count       integer     not null,
    wait        blob        not null,
    run         blob        not null,
    primary key (bucket, queue, type, outcome, node)
) without rowid;

create table millrace_stat_hour (
    bucket      integer     not null,
    queue       text        not null,
    type        text        not null,
    outcome     text        not null,
    node        text        not null,
    count       integer     not null,
    wait        blob        not null,
    run         blob        not null,
    primary key (bucket, queue, type, outcome, node)
) without rowid;

-- Who did what. ended: null while it goes on. undo_until: null for what cannot be undone. autoincrement: an id is never given twice, also
-- when the newest was forgotten.
create table millrace_operation (
    id          integer     primary key autoincrement,
    kind        text        not null,
    at          integer     not null,
    "by"        text        not null,
    via         text        not null,
    reason      text,
    target      text        not null,
    job_id      integer,
    expected    integer     not null default 0,
    done        integer     not null default 0,
    skipped     integer     not null default 0,
    ended       integer,
    error       text,
    before      text,
    after       text,
    undo_until  integer,
    undone_by   integer
);
create index millrace_operation_at on millrace_operation (at);
create index millrace_operation_job_id on millrace_operation (job_id, id) where job_id is not null;

-- The jobs that an operation changed. before: JSON, what an undo needs.
create table millrace_operation_job (
    operation   integer     not null,
    job_id      integer     not null,
    before      text        not null,
    primary key (operation, job_id)
) without rowid;
create index millrace_operation_job_job_id on millrace_operation_job (job_id);

-- Jobs that are out of every list, and are removed when remove_at of their attempts has come, unless the operation is undone before.
create table millrace_deleted_job (
    job_id      integer     primary key,
    operation   integer     not null,
    at          integer     not null
);

-- A pause whose resume_at has come is none; upkeep clears it.
alter table millrace_queue add column paused_at integer;
alter table millrace_queue add column paused_by text;
alter table millrace_queue add column pause_reason text;
alter table millrace_queue add column resume_at integer;

alter table millrace_schedule add column paused_at integer;
alter table millrace_schedule add column paused_by text;
alter table millrace_schedule add column pause_reason text;
alter table millrace_schedule add column resume_at integer;
-- The key that each tick's job asks for, if any: on_conflict and scope are the numbers of WhenPending and UniqueScope, key_window is in microseconds.
alter table millrace_schedule add column key text;
alter table millrace_schedule add column on_conflict integer;
alter table millrace_schedule add column scope integer;
alter table millrace_schedule add column key_window integer;

-- drain_at: a person asked the node to claim no more.
alter table millrace_node add column drain_at integer;
alter table millrace_node add column drain_by text;
alter table millrace_node add column drain_reason text;

-- The runs of a schedule, and the children of a job, in the order of their ids.
create index millrace_job_schedule on millrace_job (schedule, id) where schedule is not null;
create index millrace_job_parent on millrace_job (parent, id) where parent is not null;
