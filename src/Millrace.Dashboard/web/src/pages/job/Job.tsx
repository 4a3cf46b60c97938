import { useEffect, useState } from "preact/hooks";
import { useQuery } from "../../api/query.ts";
import type { Attempt, Explanation, JobDetail, Operation, State } from "../../api/types.ts";
import { millrace } from "../../pure/commands.ts";
import { term } from "../../pure/filter.ts";
import { goQuery, link, path, place } from "../../router.ts";
import { useKeys } from "../../state/keys.ts";
import { t } from "../../text.ts";
import { Icon } from "../../ui/Icon.tsx";
import { JsonView } from "../../ui/JsonTree.tsx";
import { Page } from "../../ui/Page.tsx";
import { CopyButton, Empty, Loaded, Panel } from "../../ui/Parts.tsx";
import { Operations } from "../Operations.tsx";
import { StateMark, Text } from "../../ui/Words.tsx";
import { Tabs, type Tab } from "../../ui/Tabs.tsx";
import { JobTable } from "../jobs/JobTable.tsx";
import { Actions } from "./Actions.tsx";
import { Errors } from "./Errors.tsx";
import { JobFacts } from "./JobFacts.tsx";
import { Logs } from "./Logs.tsx";
import { Timeline } from "./Timeline.tsx";
import { Why } from "./Why.tsx";

/** What there is to say of a job that is over does not change by itself. When somebody runs it again its state does, and all is asked at once. */
export function everyMsOf(state: State | undefined): number {
  return state === "succeeded" || state === "failed" || state === "cancelled" ? 10_000 : 0;
}

export function Job({ id }: { id: string }) {
  const address = path("jobs", id);
  const job = useQuery<JobDetail>(address);
  const rest = { everyMs: everyMsOf(job.data.value?.row.state) };
  const attempts = useQuery<{ attempts: Attempt[] }>(`${address}/attempts`, rest);
  const why = useQuery<Explanation>(`${address}/explain`, rest);
  const [isWanted, want] = useState(false);
  const row = job.data.value?.row;
  useKeys({ e: () => want(true) });
  // The key may come before the answer: the wish is kept until there is something to go to.
  const isAsked = (isWanted || place.value.query.get("explain") === "1") && row !== undefined && why.data.value?.state === row.state;
  useEffect(() => {
    if (!isAsked) return;
    document.getElementById("why")?.focus();
    want(false);
  }, [isAsked, isWanted]);

  const heading = row
    ? <><StateMark state={row.state} /> <Text value={row.type} /> <span class="id">{id}</span><CopyButton text={id} name={t.copy.id} /></>
    : <span class="id">{t.job.title(id)}</span>;
  return (
    <Page title={row ? `${row.type} ${id}` : t.job.title(id)} heading={heading} api={address} cli={millrace("show", id)} class="job-page">
      <Loaded query={job}>{detail => <JobView job={detail} attempts={attempts.data.value?.attempts ?? []} explanation={why.data.value} />}</Loaded>
    </Page>
  );
}

function JobView({ job, attempts, explanation }: { job: JobDetail; attempts: Attempt[]; explanation?: Explanation }) {
  const { row } = job;
  const errors = attempts.filter(a => a.error !== undefined).length;
  const tabs: Tab[] = [
    { id: "data", name: t.job.tabs.data },
    { id: "errors", name: t.job.tabs.errors, count: errors },
    { id: "logs", name: t.job.tabs.logs },
    { id: "result", name: t.job.tabs.result },
    { id: "family", name: t.job.tabs.family, count: job.children.length },
    { id: "raw", name: t.job.tabs.raw },
    { id: "audit", name: t.job.tabs.audit },
  ];
  const asked = place.value.query.get("tab");
  // Whoever opens a job that failed wants to know why.
  const tab = tabs.some(x => x.id === asked) ? asked ?? "data" : row.state === "failed" || row.state === "retrying" || row.state === "quarantined" ? (errors > 0 ? "errors" : "data") : "data";
  return (
    <>
      {row.deletedBy && <p class="note"><Icon name="trash" />{t.job.deleted}</p>}
      {job.cancelRequest && row.state === "running" && <p class="note"><Icon name="cancelled" /><Text value={t.job.cancelAsked(job.cancelRequest.by ?? t.job.someone, job.cancelRequest.reason ?? "")} /></p>}
      <Why explanation={explanation} row={row} />
      {row.state === "running" && job.progress !== undefined && (
        <div class="job-progress"><progress value={job.progress} max={100} aria-label={t.job.progress} /> <b>{Math.floor(job.progress)} %</b> {job.progressMessage && <Text value={job.progressMessage} class="muted" />}</div>
      )}
      <Actions job={job} hasKeys />
      <div class="job-layout">
        <div class="job-main">
          <Tabs name={t.pages.jobs} tabs={tabs} current={tab} onChange={id => goQuery({ tab: id, explain: undefined, level: undefined, run: undefined })}>
            <TabView tab={tab} job={job} attempts={attempts} />
          </Tabs>
        </div>
        <div class="job-side">
          <Timeline row={row} attempts={attempts} />
          <Panel><JobFacts job={job} /></Panel>
        </div>
      </div>
    </>
  );
}

function TabView({ tab, job, attempts }: { tab: string; job: JobDetail; attempts: Attempt[] }) {
  const { row } = job;
  switch (tab) {
    case "errors": return <Errors attempts={attempts} />;
    case "logs": return <Logs row={row} />;
    case "result": return job.result ? <JsonView text={job.result} name={t.job.tabs.result} /> : <Empty text={t.job.noResult} />;
    case "family": return <Family job={job} />;
    case "raw": return <JsonView text={JSON.stringify({ ...job, children: job.children.map(c => c.id) })} name={t.job.tabs.raw} />;
    case "audit": return <Audit id={row.id} />;
    default: return (
      <>
        <JsonView text={job.data} name={t.job.tabs.data} />
        {job.headers && <><h2 class="small">{t.job.headers}</h2><JsonView text={job.headers} name={t.job.headers} /></>}
        {job.policy && <><h2 class="small">{t.job.policy}</h2><JsonView text={job.policy} name={t.job.policy} /></>}
      </>
    );
  }
}

function Family({ job }: { job: JobDetail }) {
  const { row, children } = job;
  const links: [string, string][] = [
    ...(row.parent ? [[path("jobs", row.parent), `${t.job.parent} ${row.parent}`] as [string, string]] : []),
    ...(row.tag ? [[link("jobs", { q: term("tag", row.tag) }), t.job.sameTag] as [string, string]] : []),
    [link("jobs", { q: term("type", row.type) }), t.job.sameType],
  ];
  return (
    <>
      <p class="links">{links.map(([href, text]) => <a key={href} href={href}>{text}</a>)}</p>
      {children.length > 0 ? <><h2 class="small">{t.job.children}</h2><JobTable rows={children} name={t.job.children} /></> : <Empty text={t.job.noFamily} />}
    </>
  );
}

function Audit({ id }: { id: string }) {
  const audit = useQuery<{ operations: Operation[] }>(`${path("jobs", id)}/audit`);
  return <Loaded query={audit}>{({ operations }) => operations.length > 0 ? <Operations operations={operations} name={t.job.tabs.audit} /> : <Empty text={t.job.noAudit} />}</Loaded>;
}
