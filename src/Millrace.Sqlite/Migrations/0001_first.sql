-- The first schema. A job is in exactly one place (ready, scheduled, waiting, a lease without an attempt row, or a final attempt), and the
-- place is its state. Same tables and columns as in PostgreSQL. A SQLite file has no schemas and the application's own tables live beside
-- these, so all names begin with millrace_. Times are microseconds since 1970 in UTC, ids of nodes and leases are text, lists are JSON text.

-- What was submitted. Never updated. No foreign keys: they would look this row up at each state change.
create table millrace_job (
    id          integer     primary key,
    nonce       integer     not null,
    type        text        not null,
    tag         text,
    user_id     integer     not null default 0,
    queue       text        not null,
    priority    integer     not null default 0,
    data        text        not null,
    due         integer     not null,
    created     integer     not null,
    policy      text,
    headers     text,
    trace       text,
    parent      integer,
    schedule    text,
    key         text
);
create index millrace_job_tag on millrace_job (tag) where tag is not null;

-- The sequence of job ids: one row.
create table millrace_job_id (
    one         integer     primary key check (one = 1),
    next        integer     not null
);
insert into millrace_job_id (one, next) values (1, 1);

-- May be claimed now. Narrow: rows come and go with every job. pass is the place in line: microseconds since 1970 of the time it became ready.
create table millrace_ready (
    queue       text        not null,
    priority    integer     not null,
    pass        integer     not null,
    id          integer     not null unique,
    type        text        not null,
    run         integer     not null,
    attempt     integer     not null,
    crashes     integer     not null default 0,
    is_suspect  integer     not null default 0,
    primary key (queue, priority, pass, id)
) without rowid;
create index millrace_ready_suspect on millrace_ready (queue) where is_suspect = 1;

-- Waits for its time.
create table millrace_scheduled (
    due         integer     not null,
    id          integer     not null unique,
    queue       text        not null,
    priority    integer     not null,
    type        text        not null,
    run         integer     not null,
    attempt     integer     not null,
    crashes     integer     not null default 0,
    is_suspect  integer     not null default 0,
    primary key (due, id)
) without rowid;

-- Waits for something else. reason: type (no live node knows it), key (a submitter is deciding: never here, with one writer at a time), quarantine (a person).
create table millrace_waiting (
    id          integer     primary key,
    reason      text        not null,
    since       integer     not null,
    due         integer     not null,
    queue       text        not null,
    priority    integer     not null,
    type        text        not null,
    run         integer     not null,
    attempt     integer     not null,
    crashes     integer     not null default 0,
    is_suspect  integer     not null default 0
);

-- One claimed batch. The lists are shortened as runs end. is_alone: made for one job, of whose doing a crash of its process is
-- taken to be. is_suspect: made for a suspect; a release must not lose that.
create table millrace_lease (
    id          text        primary key,
    node        text        not null,
    claimed_at  integer     not null,
    is_alone    integer     not null default 0,
    is_suspect  integer     not null default 0,
    job_ids     text        not null,
    runs        text        not null,
    attempts    text        not null,
    crashes     text        not null,
    passes      text        not null
);
create index millrace_lease_node on millrace_lease (node);

-- One ended run. Append-only. The primary key is the fence: whoever inserts the row first has decided how the run ended.
-- success: 1, 0, or null where neither word fits (snoozed, released, cancelled, replaced, superseded).
-- rescued_by: the node that ended it in place of its own; null when its own node did. remove_at: only on final ends.
create table millrace_attempt (
    job_id      integer     not null,
    run         integer     not null,
    attempt     integer     not null,
    charged     integer     not null,
    type        text        not null,
    tag         text,
    node        text,
    rescued_by  text,
    started     integer     not null,
    finished    integer     not null,
    success     integer,
    outcome     text        not null,
    result      text,
    error       text,
    remove_at   integer,
    primary key (job_id, run)
) without rowid;
-- Written as in the query it is for: SQLite uses a partial index only where the same condition stands, and "success = 0" is another one to it.
create index millrace_attempt_failure on millrace_attempt (finished) where success = false;
create index millrace_attempt_remove_at on millrace_attempt (remove_at) where remove_at is not null;

-- At most one job holds a key. until: for a window of uniqueness, the time before which the key stays taken even when its job has finished.
create table millrace_unique_key (
    key         text        primary key,
    job_id      integer     not null,
    scope       integer     not null default 0,   -- 0 while pending, 1 while pending or running, 2 within a window
    until       integer
) without rowid;
create index millrace_unique_key_job on millrace_unique_key (job_id);
create index millrace_unique_key_until on millrace_unique_key (until) where until is not null;

create table millrace_cancel_request (
    job_id      integer     primary key,
    at          integer     not null,
    "by"        text,
    reason      text
);

create table millrace_progress (
    job_id      integer     primary key,
    run         integer     not null,
    at          integer     not null,
    percent     real        not null,
    message     text
);

create table millrace_job_log (
    job_id      integer     not null,
    run         integer     not null,
    line        integer     not null,
    at          integer     not null,
    level       integer     not null,
    category    text        not null,
    message     text        not null,
    properties  text,
    exception   text,
    primary key (job_id, run, line)
) without rowid;

-- What running jobs tell users: kind is notification or progress. Read by whoever listens, and removed after some minutes. autoincrement:
-- an id is never given twice, also when the table is empty in between.
create table millrace_event (
    id          integer     primary key autoincrement,
    at          integer     not null,
    user_id     integer     not null,
    kind        text        not null,
    job_id      integer     not null,
    type        text        not null,
    percent     real,
    message     text
);

-- What OnceAsync remembers: a step of a job that must not be repeated by a later attempt.
create table millrace_once (
    job_id      integer     not null,
    key         text        not null,
    run         integer     not null,
    value       text        not null,
    primary key (job_id, key)
) without rowid;

-- A process. Alive while it holds the lock on its file beside the database; beat and expires_at are for people. dead_at makes the row a
-- tombstone, which outlives the node's leases.
create table millrace_node (
    id          text        primary key,
    name        text        not null,
    kind        text        not null,
    server      text,
    started_at  integer     not null,
    beat        integer     not null default 0,
    expires_at  integer     not null,
    is_idle     integer     not null default 0,
    is_listening integer    not null default 0,       -- for events
    types       text        not null,
    queues      text        not null,
    dead_at     integer
) without rowid;

create table millrace_queue (
    name        text        primary key,
    is_paused   integer     not null default 0
) without rowid;

create table millrace_schedule (
    name          text      primary key,
    version       integer   not null,
    cron          text      not null,
    zone          text      not null,
    is_persistent integer   not null,
    missed_ticks  text      not null,
    type          text      not null,
    tag           text,
    user_id       integer   not null,
    queue         text      not null,
    priority      integer   not null,
    data          text      not null,
    policy        text,
    headers       text,
    created       integer   not null,
    next_due      integer,
    last_tick     integer
);
create index millrace_schedule_next_due on millrace_schedule (next_due) where next_due is not null;

-- Who keeps a schedule alive that is not persistent.
create table millrace_schedule_owner (
    name        text        not null,
    node        text        not null,
    primary key (name, node)
) without rowid;
