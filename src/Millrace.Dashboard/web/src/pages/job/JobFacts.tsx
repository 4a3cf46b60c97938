import type { JobDetail } from "../../api/types.ts";
import { term } from "../../pure/filter.ts";
import { link, path } from "../../router.ts";
import { t } from "../../text.ts";
import { CopyButton, Fact, Facts } from "../../ui/Parts.tsx";
import { Ago, At, Text } from "../../ui/Words.tsx";

/** All that stands beside the data; each value is the way to what shares it. */
export function JobFacts({ job }: { job: JobDetail }) {
  const { row } = job;
  const list = (q: string) => link("jobs", { q });
  return (
    <Facts>
      <Fact name={t.job.type}><a href={path("types", row.type)}><Text value={row.type} /></a></Fact>
      <Fact name={t.job.queue}><a href={path("queues", row.queue)}><Text value={row.queue} /></a></Fact>
      {row.tag && <Fact name={t.job.tag}><a href={list(term("tag", row.tag))}><Text value={row.tag} /></a></Fact>}
      <Fact name={t.job.user}>{row.userId === "0" ? <span class="muted">{t.job.system}</span> : <a href={list(`user:${row.userId}`)} class="mono">{row.userId}</a>}</Fact>
      <Fact name={t.job.priority}>{row.priority}</Fact>
      <Fact name={t.job.created}><At iso={row.created} /> <span class="muted"><Ago iso={row.created} /></span></Fact>
      <Fact name={t.job.due}><At iso={row.due} /> <span class="muted"><Ago iso={row.due} /></span></Fact>
      {row.schedule && <Fact name={t.job.schedule}><a href={path("schedules", row.schedule)}><Text value={row.schedule} /></a></Fact>}
      {row.parent && <Fact name={t.job.parent}><a href={path("jobs", row.parent)} class="mono">{row.parent}</a></Fact>}
      {row.node && <Fact name={t.job.worker}><a href={list(term("worker", job.nodeName ?? row.node))}><Text value={job.nodeName ?? row.node} /></a></Fact>}
      {job.key && <Fact name={t.job.key}><Text value={job.key} class="mono" /></Fact>}
      {job.trace && <Fact name={t.job.trace}>{job.traceLink && <><a href={job.traceLink} target="_blank" rel="noopener noreferrer">{t.job.openTrace}</a> </>}<Text value={job.trace} class="mono break" /><CopyButton text={job.trace} /></Fact>}
      {job.removeAt && <Fact name={t.job.removed}><At iso={job.removeAt} /> <span class="muted"><Ago iso={job.removeAt} /></span></Fact>}
    </Facts>
  );
}
