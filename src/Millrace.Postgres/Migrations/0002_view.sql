-- The view worker_jobs: one row for each charged attempt, one for each job that has not finished, one for each active schedule.
-- Runs with search_path set to the schema of Millrace's tables; :"view" is the schema in which the view stands (psql -v view=public).
--
-- The arm of ended runs reads one table and has no condition of its own, or it could not be flattened into the query around it, and
-- "order by finished desc limit 20" would read all failures instead of the ends of one index. What hides its uncharged rows is the
-- condition at the very bottom. Its rarer columns are scalar sub-selects, run only for rows that are shown.
create view :"view".worker_jobs as
select u.id, u.attempt, u.type, u.tag, u.user_id, u.queue, u.priority, u.data, u.due, u.started, u.finished, u.success, u.result,
       u.cron_schedule, u.persistent, u.auto_reschedule_on_failure, u.auto_reschedule_on_failure_delay, u.remove_delay, u.remove_at,
       u.rescheduled_from_job, u.state, u.created_at
from (
    select a.job_id as id, a.attempt, a.type, a.tag,
           (select j.user_id from job j where j.id = a.job_id) as user_id,
           (select j.queue from job j where j.id = a.job_id) as queue,
           (select j.priority from job j where j.id = a.job_id) as priority,
           (select j.data::json from job j where j.id = a.job_id) as data,
           (select j.due from job j where j.id = a.job_id) as due,
           a.started, a.finished, a.success,
           case when a.success is distinct from true and a.error is not null then json_build_object('error', a.error) else a.result::json end as result,
           (select s.cron from job j join schedule s on s.name = j.schedule where j.id = a.job_id) as cron_schedule,
           coalesce((select s.is_persistent from job j join schedule s on s.name = j.schedule where j.id = a.job_id), false) as persistent,
           (select coalesce(j.policy::json ->> 'maxAttempts', '') <> '1' and coalesce(j.policy::json #>> '{retry,kind}', '') <> 'none' from job j where j.id = a.job_id) as auto_reschedule_on_failure,
           (select coalesce(j.policy::json #>> '{retry,delay}', j.policy::json #>> '{retry,first}', j.policy::json #>> '{retry,delays,0}')::double precision from job j where j.id = a.job_id) as auto_reschedule_on_failure_delay,
           (select nullif((j.policy::json ->> 'removeDelay')::double precision, -1) from job j where j.id = a.job_id) as remove_delay,
           a.remove_at,
           case when a.attempt > 1 then a.job_id end as rescheduled_from_job,
           a.outcome as state,
           (select j.created from job j where j.id = a.job_id) as created_at,
           a.charged or a.outcome in ('succeeded', 'discarded', 'cancelled', 'replaced', 'superseded') as is_shown
    from attempt a
    union all
    select j.id, p.attempt, j.type, j.tag, j.user_id, j.queue, j.priority, j.data::json, j.due,
           null::timestamptz, null::timestamptz, null::boolean, null::json,
           (select s.cron from schedule s where s.name = j.schedule), coalesce((select s.is_persistent from schedule s where s.name = j.schedule), false),
           coalesce(j.policy::json ->> 'maxAttempts', '') <> '1' and coalesce(j.policy::json #>> '{retry,kind}', '') <> 'none',
           coalesce(j.policy::json #>> '{retry,delay}', j.policy::json #>> '{retry,first}', j.policy::json #>> '{retry,delays,0}')::double precision,
           nullif((j.policy::json ->> 'removeDelay')::double precision, -1), null::timestamptz,
           case when p.attempt > 1 then j.id end, 'ready'::text, j.created, true
    from job j join ready p on p.id = j.id
    union all
    select j.id, p.attempt, j.type, j.tag, j.user_id, j.queue, j.priority, j.data::json, p.due,
           null::timestamptz, null::timestamptz, null::boolean, null::json,
           (select s.cron from schedule s where s.name = j.schedule), coalesce((select s.is_persistent from schedule s where s.name = j.schedule), false),
           coalesce(j.policy::json ->> 'maxAttempts', '') <> '1' and coalesce(j.policy::json #>> '{retry,kind}', '') <> 'none',
           coalesce(j.policy::json #>> '{retry,delay}', j.policy::json #>> '{retry,first}', j.policy::json #>> '{retry,delays,0}')::double precision,
           nullif((j.policy::json ->> 'removeDelay')::double precision, -1), null::timestamptz,
           case when p.attempt > 1 then j.id end, 'scheduled'::text, j.created, true
    from job j join scheduled p on p.id = j.id
    union all
    select j.id, p.attempt, j.type, j.tag, j.user_id, j.queue, j.priority, j.data::json, p.due,
           null::timestamptz, null::timestamptz, null::boolean, null::json,
           (select s.cron from schedule s where s.name = j.schedule), coalesce((select s.is_persistent from schedule s where s.name = j.schedule), false),
           coalesce(j.policy::json ->> 'maxAttempts', '') <> '1' and coalesce(j.policy::json #>> '{retry,kind}', '') <> 'none',
           coalesce(j.policy::json #>> '{retry,delay}', j.policy::json #>> '{retry,first}', j.policy::json #>> '{retry,delays,0}')::double precision,
           nullif((j.policy::json ->> 'removeDelay')::double precision, -1), null::timestamptz,
           case when p.attempt > 1 then j.id end, 'waiting'::text, j.created, true
    from job j join waiting p on p.id = j.id
    union all
    -- A run that a lease still lists although it has ended is shown above.
    select j.id, p.attempt, j.type, j.tag, j.user_id, j.queue, j.priority, j.data::json, j.due,
           l.claimed_at, null::timestamptz, null::boolean, null::json,
           (select s.cron from schedule s where s.name = j.schedule), coalesce((select s.is_persistent from schedule s where s.name = j.schedule), false),
           coalesce(j.policy::json ->> 'maxAttempts', '') <> '1' and coalesce(j.policy::json #>> '{retry,kind}', '') <> 'none',
           coalesce(j.policy::json #>> '{retry,delay}', j.policy::json #>> '{retry,first}', j.policy::json #>> '{retry,delays,0}')::double precision,
           nullif((j.policy::json ->> 'removeDelay')::double precision, -1), null::timestamptz,
           case when p.attempt > 1 then j.id end, 'running'::text, j.created, true
    from lease l
    cross join lateral unnest(l.job_ids, l.runs, l.attempts) as p(job_id, run, attempt)
    join job j on j.id = p.job_id
    where not exists (select from attempt a where a.job_id = p.job_id and a.run = p.run)
    union all
    select null::bigint, 1, s.type, s.tag, s.user_id, s.queue, s.priority, s.data::json, s.next_due,
           null::timestamptz, null::timestamptz, null::boolean, null::json, s.cron, s.is_persistent,
           coalesce(s.policy::json ->> 'maxAttempts', '') <> '1' and coalesce(s.policy::json #>> '{retry,kind}', '') <> 'none',
           coalesce(s.policy::json #>> '{retry,delay}', s.policy::json #>> '{retry,first}', s.policy::json #>> '{retry,delays,0}')::double precision,
           nullif((s.policy::json ->> 'removeDelay')::double precision, -1), null::timestamptz,
           null::bigint, 'scheduled'::text, s.created, true
    from schedule s
    where s.next_due is not null
) u
where u.is_shown;
