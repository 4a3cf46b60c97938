import { useQuery } from "../api/query.ts";
import type { JobList } from "../api/types.ts";
import { duration } from "../pure/time.ts";
import { path } from "../router.ts";
import { t } from "../text.ts";
import { Icon } from "../ui/Icon.tsx";

/** The last runs of a schedule, oldest first: one small mark each, all of them links. */
export function RunStrip({ schedule, most }: { schedule: string; most: number }) {
  const runs = useQuery<JobList>(`${path("schedules", schedule)}/runs?limit=50`, { everyMs: 5_000 }).data.value;
  if (!runs) return <span class="strip" />;
  if (runs.jobs.length === 0) return <span class="muted">{t.schedules.noRuns}</span>;
  return (
    <ul class="strip" aria-label={t.schedules.runsOf(schedule)}>
      {runs.jobs.slice(0, most).reverse().map(job => {
        const took = job.started && job.finished && job.finished > job.started ? `, ${duration(Date.parse(job.finished) - Date.parse(job.started))}` : "";
        const name = `${t.states[job.state]}, ${job.finished ?? job.created}${took}`;
        return <li key={job.id}><a href={path("jobs", job.id)} class={`cell s-${job.state}`} title={name} aria-label={name}><Icon name={job.state} /></a></li>;
      })}
    </ul>
  );
}
