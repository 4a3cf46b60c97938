-- One row per charged attempt, one for each job that has not finished, one for each job that ended before it ran, one for each schedule.
-- Pending: started is null. Running: started is not null and finished is null. Times are ISO 8601 in UTC.
-- Each arm is a plain join, which SQLite flattens: a condition on tag or on success reaches the index of the table below.
drop view if exists worker_jobs;
create view worker_jobs as
-- Ended runs.
select
    j.id as id,
    a.attempt as attempt,
    j.type as type,
    j.tag as tag,
    j.user_id as user_id,
    j.queue as queue,
    j.priority as priority,
    j.data as data,
    strftime('%Y-%m-%dT%H:%M:%S', j.due / 1000000, 'unixepoch') || printf('.%06dZ', j.due % 1000000) as due,
    strftime('%Y-%m-%dT%H:%M:%S', a.started / 1000000, 'unixepoch') || printf('.%06dZ', a.started % 1000000) as started,
    strftime('%Y-%m-%dT%H:%M:%S', a.finished / 1000000, 'unixepoch') || printf('.%06dZ', a.finished % 1000000) as finished,
    a.success as success,
    case when a.success is not 1 and a.error is not null then json_object('error', a.error) else a.result end as result,
    (select s.cron from millrace_schedule s where s.name = j.schedule) as cron_schedule,
    coalesce((select s.is_persistent from millrace_schedule s where s.name = j.schedule), 0) as persistent,
    case when json_extract(j.policy, '$.maxAttempts') = 1 or json_extract(j.policy, '$.retry.kind') = 'none' then 0 else 1 end as auto_reschedule_on_failure,
    coalesce(json_extract(j.policy, '$.retry.delay'), json_extract(j.policy, '$.retry.first'), json_extract(j.policy, '$.retry.delays[0]')) as auto_reschedule_on_failure_delay,
    nullif(json_extract(j.policy, '$.removeDelay'), -1) as remove_delay,
    strftime('%Y-%m-%dT%H:%M:%S', a.remove_at / 1000000, 'unixepoch') || printf('.%06dZ', a.remove_at % 1000000) as remove_at,
    case when a.attempt > 1 then j.id end as rescheduled_from_job,
    a.outcome as state,
    strftime('%Y-%m-%dT%H:%M:%S', j.created / 1000000, 'unixepoch') || printf('.%06dZ', j.created % 1000000) as created_at
from millrace_attempt a
join millrace_job j on j.id = a.job_id
where a.charged = 1 or a.outcome in ('succeeded', 'discarded', 'cancelled', 'replaced', 'superseded')
union all
-- May be claimed now.
select
    j.id,
    p.attempt,
    j.type,
    j.tag,
    j.user_id,
    j.queue,
    j.priority,
    j.data,
    strftime('%Y-%m-%dT%H:%M:%S', j.due / 1000000, 'unixepoch') || printf('.%06dZ', j.due % 1000000),
    null,
    null,
    null,
    null,
    (select s.cron from millrace_schedule s where s.name = j.schedule),
    coalesce((select s.is_persistent from millrace_schedule s where s.name = j.schedule), 0),
    case when json_extract(j.policy, '$.maxAttempts') = 1 or json_extract(j.policy, '$.retry.kind') = 'none' then 0 else 1 end,
    coalesce(json_extract(j.policy, '$.retry.delay'), json_extract(j.policy, '$.retry.first'), json_extract(j.policy, '$.retry.delays[0]')),
    nullif(json_extract(j.policy, '$.removeDelay'), -1),
    null,
    case when p.attempt > 1 then j.id end,
    'ready',
    strftime('%Y-%m-%dT%H:%M:%S', j.created / 1000000, 'unixepoch') || printf('.%06dZ', j.created % 1000000)
from millrace_ready p
join millrace_job j on j.id = p.id
union all
-- Waits for its time.
select
    j.id,
    p.attempt,
    j.type,
    j.tag,
    j.user_id,
    j.queue,
    j.priority,
    j.data,
    strftime('%Y-%m-%dT%H:%M:%S', p.due / 1000000, 'unixepoch') || printf('.%06dZ', p.due % 1000000),
    null,
    null,
    null,
    null,
    (select s.cron from millrace_schedule s where s.name = j.schedule),
    coalesce((select s.is_persistent from millrace_schedule s where s.name = j.schedule), 0),
    case when json_extract(j.policy, '$.maxAttempts') = 1 or json_extract(j.policy, '$.retry.kind') = 'none' then 0 else 1 end,
    coalesce(json_extract(j.policy, '$.retry.delay'), json_extract(j.policy, '$.retry.first'), json_extract(j.policy, '$.retry.delays[0]')),
    nullif(json_extract(j.policy, '$.removeDelay'), -1),
    null,
    case when p.attempt > 1 then j.id end,
    'scheduled',
    strftime('%Y-%m-%dT%H:%M:%S', j.created / 1000000, 'unixepoch') || printf('.%06dZ', j.created % 1000000)
from millrace_scheduled p
join millrace_job j on j.id = p.id
union all
-- Waits for a type or a person.
select
    j.id,
    p.attempt,
    j.type,
    j.tag,
    j.user_id,
    j.queue,
    j.priority,
    j.data,
    strftime('%Y-%m-%dT%H:%M:%S', p.due / 1000000, 'unixepoch') || printf('.%06dZ', p.due % 1000000),
    null,
    null,
    null,
    null,
    (select s.cron from millrace_schedule s where s.name = j.schedule),
    coalesce((select s.is_persistent from millrace_schedule s where s.name = j.schedule), 0),
    case when json_extract(j.policy, '$.maxAttempts') = 1 or json_extract(j.policy, '$.retry.kind') = 'none' then 0 else 1 end,
    coalesce(json_extract(j.policy, '$.retry.delay'), json_extract(j.policy, '$.retry.first'), json_extract(j.policy, '$.retry.delays[0]')),
    nullif(json_extract(j.policy, '$.removeDelay'), -1),
    null,
    case when p.attempt > 1 then j.id end,
    'waiting',
    strftime('%Y-%m-%dT%H:%M:%S', j.created / 1000000, 'unixepoch') || printf('.%06dZ', j.created % 1000000)
from millrace_waiting p
join millrace_job j on j.id = p.id
union all
-- Running: listed by a lease, and not ended. The cross joins keep the order of the tables: leases are few, and with a condition on tag SQLite
-- would otherwise unpack every lease again for each job of that tag.
select
    j.id,
    json_extract(l.attempts, '$[' || p.key || ']'),
    j.type,
    j.tag,
    j.user_id,
    j.queue,
    j.priority,
    j.data,
    strftime('%Y-%m-%dT%H:%M:%S', j.due / 1000000, 'unixepoch') || printf('.%06dZ', j.due % 1000000),
    strftime('%Y-%m-%dT%H:%M:%S', l.claimed_at / 1000000, 'unixepoch') || printf('.%06dZ', l.claimed_at % 1000000),
    null,
    null,
    null,
    (select s.cron from millrace_schedule s where s.name = j.schedule),
    coalesce((select s.is_persistent from millrace_schedule s where s.name = j.schedule), 0),
    case when json_extract(j.policy, '$.maxAttempts') = 1 or json_extract(j.policy, '$.retry.kind') = 'none' then 0 else 1 end,
    coalesce(json_extract(j.policy, '$.retry.delay'), json_extract(j.policy, '$.retry.first'), json_extract(j.policy, '$.retry.delays[0]')),
    nullif(json_extract(j.policy, '$.removeDelay'), -1),
    null,
    case when json_extract(l.attempts, '$[' || p.key || ']') > 1 then j.id end,
    'running',
    strftime('%Y-%m-%dT%H:%M:%S', j.created / 1000000, 'unixepoch') || printf('.%06dZ', j.created % 1000000)
from millrace_lease l
cross join json_each(l.job_ids) p
cross join millrace_job j on j.id = p.value
where not exists (select 1 from millrace_attempt a where a.job_id = p.value and a.run = json_extract(l.runs, '$[' || p.key || ']'))
union all
-- Active schedules: due is the next tick.
select
    null,
    null,
    j.type,
    j.tag,
    j.user_id,
    j.queue,
    j.priority,
    j.data,
    strftime('%Y-%m-%dT%H:%M:%S', j.next_due / 1000000, 'unixepoch') || printf('.%06dZ', j.next_due % 1000000),
    null,
    null,
    null,
    null,
    j.cron,
    j.is_persistent,
    case when json_extract(j.policy, '$.maxAttempts') = 1 or json_extract(j.policy, '$.retry.kind') = 'none' then 0 else 1 end,
    coalesce(json_extract(j.policy, '$.retry.delay'), json_extract(j.policy, '$.retry.first'), json_extract(j.policy, '$.retry.delays[0]')),
    nullif(json_extract(j.policy, '$.removeDelay'), -1),
    null,
    null,
    'scheduled',
    strftime('%Y-%m-%dT%H:%M:%S', j.created / 1000000, 'unixepoch') || printf('.%06dZ', j.created % 1000000)
from millrace_schedule j
where j.next_due is not null;
