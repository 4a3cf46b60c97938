-- The first schema. A job is in exactly one place (ready, scheduled, waiting, a lease without an attempt row, or a final attempt), and the
-- place is its state. Runs with search_path set to the schema of Millrace's tables.

-- What was submitted. Never updated. No foreign keys: they would lock this row at each state change.
create table job (
    id          bigint      primary key,
    nonce       bigint      not null,
    type        text        not null,
    tag         text,
    user_id     bigint      not null default 0,
    queue       text        not null,
    priority    smallint    not null default 0,
    data        text        not null,
    due         timestamptz not null,
    created     timestamptz not null,
    policy      text,
    headers     text,
    trace       text,
    parent      bigint,
    schedule    text,
    key         text
);
create index job_tag on job (tag) where tag is not null;
create sequence job_id as bigint;

-- May be claimed now. Narrow: rows come and go with every job. pass is the place in line: microseconds since 1970 of the time it became ready.
create table ready (
    queue       text        not null,
    priority    smallint    not null,
    pass        bigint      not null,
    id          bigint      not null unique,
    type        text        not null,
    run         integer     not null,
    attempt     integer     not null,
    crashes     integer     not null default 0,
    is_suspect  boolean     not null default false,
    primary key (queue, priority, pass, id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
-- In the order in which suspects are claimed: without it that claim walks over every row that ever was in line.
create index ready_suspect on ready (queue, id) where is_suspect;

-- Waits for its time.
create table scheduled (
    due         timestamptz not null,
    id          bigint      not null unique,
    queue       text        not null,
    priority    smallint    not null,
    type        text        not null,
    run         integer     not null,
    attempt     integer     not null,
    crashes     integer     not null default 0,
    is_suspect  boolean     not null default false,
    primary key (due, id)
);

-- Waits for something else. reason: type (no live node knows it), key (a submitter is deciding about its key), quarantine (a person).
create table waiting (
    id          bigint      primary key,
    reason      text        not null,
    since       timestamptz not null,
    due         timestamptz not null,
    queue       text        not null,
    priority    smallint    not null,
    type        text        not null,
    run         integer     not null,
    attempt     integer     not null,
    crashes     integer     not null default 0,
    is_suspect  boolean     not null default false
);

-- One claimed batch. The arrays are shortened as runs end. is_alone: made for one job, of whose doing a crash of its process is
-- taken to be. is_suspect: made for a suspect; a release must not lose that.
create table lease (
    id          uuid        primary key,
    node        uuid        not null,
    claimed_at  timestamptz not null,
    job_ids     bigint[]    not null,
    runs        integer[]   not null,
    attempts    integer[]   not null,
    crashes     integer[]   not null,
    passes      bigint[]    not null,
    is_alone    boolean     not null default false,
    is_suspect  boolean     not null default false
);
create index lease_node on lease (node);
-- Read and deleted within moments: to compress them would cost a tenth of all that a drained job costs.
alter table lease alter column job_ids set storage external;
alter table lease alter column passes set storage external;

-- One ended run. Append-only. The primary key is the fence: whoever inserts the row first has decided how the run ended.
-- success: true, false, or null where neither word fits (snoozed, released, cancelled, replaced, superseded).
-- rescued_by: the node that ended it in place of its own; null when its own node did. remove_at: only on final ends.
create table attempt (
    job_id      bigint      not null,
    run         integer     not null,
    attempt     integer     not null,
    charged     boolean     not null,
    type        text        not null,
    tag         text,
    node        uuid,
    rescued_by  uuid,
    started     timestamptz not null,
    finished    timestamptz not null,
    success     boolean,
    outcome     text        not null,
    result      text,
    error       text,
    remove_at   timestamptz,
    primary key (job_id, run)
);
create index attempt_failure on attempt (finished) where success = false;
-- Always empty, since started is never null: it lets the planner see at once that no ended run is pending (the look-up by tag in worker_jobs).
create index attempt_pending on attempt (tag) where started is null;
create index attempt_remove_at on attempt (remove_at) where remove_at is not null;

-- At most one job holds a key. until: for a window of uniqueness, the time before which the key stays taken even when its job has finished.
create table unique_key (
    key         text        primary key,
    job_id      bigint      not null,
    scope       smallint    not null default 0,   -- 0 while pending, 1 while pending or running, 2 within a window
    until       timestamptz
);
create index unique_key_job on unique_key (job_id);
create index unique_key_until on unique_key (until) where until is not null;

create table cancel_request (
    job_id      bigint      primary key,
    at          timestamptz not null,
    by          text,
    reason      text
);

create table progress (
    job_id      bigint      primary key,
    run         integer     not null,
    at          timestamptz not null,
    percent     double precision not null,
    message     text
);

create table job_log (
    job_id      bigint      not null,
    run         integer     not null,
    line        integer     not null,
    at          timestamptz not null,
    level       smallint    not null,
    category    text        not null,
    message     text        not null,
    properties  text,
    exception   text,
    primary key (job_id, run, line)
);

-- What running jobs tell users: kind is notification or progress. Read by whoever listens, and removed after some minutes. Ids are taken
-- under a lock that says from where (see Events.cs), so that a reader knows which ids may still appear.
create sequence event_id as bigint;
create table event (
    id          bigint      primary key default nextval('event_id'),
    at          timestamptz not null,
    user_id     bigint      not null,
    kind        text        not null,
    job_id      bigint      not null,
    type        text        not null,
    percent     double precision,
    message     text
);

-- What OnceAsync remembers: a step of a job that must not be repeated by a later attempt.
create table once (
    job_id      bigint      not null,
    key         text        not null,
    run         integer     not null,
    value       text        not null,
    primary key (job_id, key)
);

-- A process. Alive while expires_at lies ahead; dead_at makes the row a tombstone, which outlives the node's leases.
create table node (
    id          uuid        primary key,
    name        text        not null,
    kind        text        not null,
    server      uuid,
    started_at  timestamptz not null,
    beat        bigint      not null default 0,
    expires_at  timestamptz not null,
    is_idle     boolean     not null default false,
    is_listening boolean    not null default false,   -- for events
    types       text[]      not null,
    queues      text[]      not null,
    dead_at     timestamptz
) with (fillfactor = 50);

create table queue (
    name        text        primary key,
    is_paused   boolean     not null default false
);

create table schedule (
    name          text        primary key,
    version       bigint      not null,
    cron          text        not null,
    zone          text        not null,
    is_persistent boolean     not null,
    missed_ticks  text        not null,
    type          text        not null,
    tag           text,
    user_id       bigint      not null,
    queue         text        not null,
    priority      smallint    not null,
    data          text        not null,
    policy        text,
    headers       text,
    created       timestamptz not null,
    next_due      timestamptz,
    last_tick     timestamptz,
    -- The key that each tick's job asks for, if any: on_conflict and scope are the numbers of WhenPending and UniqueScope.
    key           text,
    on_conflict   smallint,
    scope         smallint,
    key_window    interval
);
create index schedule_next_due on schedule (next_due) where next_due is not null;

-- Who keeps a schedule alive that is not persistent.
create table schedule_owner (
    name        text        not null,
    node        uuid        not null,
    primary key (name, node)
);
