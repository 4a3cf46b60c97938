import type { ComponentChildren } from "preact";
import { useQuery } from "../api/query.ts";
import type { Failures as FailureList, Finding, Overview as OverviewData } from "../api/types.ts";
import { millrace } from "../pure/commands.ts";
import { capped, count, rate } from "../pure/number.ts";
import { link } from "../router.ts";
import { safeLink } from "../safeLink.ts";
import { noteCounts } from "../state/me.ts";
import { t } from "../text.ts";
import { Charts } from "../ui/Charts.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Page } from "../ui/Page.tsx";
import { Empty, Loaded, Panel } from "../ui/Parts.tsx";
import { Age, Text } from "../ui/Words.tsx";
import { FailureTable } from "./Failures.tsx";
import { QueueTable } from "./Queues.tsx";

/** Is anything wrong, since when, and what to do; then the numbers, each the way to what is behind it. */
export function Overview() {
  const overview = useQuery<OverviewData>("overview");
  const failures = useQuery<FailureList>("failures?hours=24", { everyMs: 10_000 });
  return (
    <Page title={t.pages.overview} api="overview" cli={millrace("stats")} class="overview">
      <Loaded query={overview}>{data => {
        noteCounts(data.counts);
        return (
          <>
            <Findings findings={data.findings} />
            <Numbers data={data} />
          </>
        );
      }}</Loaded>
      <Charts />
      <Loaded query={overview}>{data => (
        <Panel title={t.overview.queues} aside={<a href="queues">{t.overview.all}</a>}>
          {data.queues.length > 0 ? <QueueTable queues={data.queues} /> : <Empty text={t.overview.firstJob} hint={t.overview.howFirst} />}
        </Panel>
      )}</Loaded>
      <Panel title={t.overview.causes} aside={<a href="failures">{t.overview.all}</a>}>
        <Loaded query={failures}>{({ groups, deployments }) => groups.length > 0 ? <FailureTable groups={groups.slice(0, 5)} deployments={deployments} /> : <Empty text={t.overview.noFailures} />}</Loaded>
      </Panel>
    </Page>
  );
}

/** The health of it all: one quiet line, or up to five findings, worst first. */
function Findings({ findings }: { findings: Finding[] }) {
  if (findings.length === 0) return <p class="health good"><Icon name="succeeded" /><b>{t.overview.allGood}</b></p>;
  const order = { error: 0, warning: 1, notice: 2 };
  const worst = [...findings].sort((a, b) => order[a.severity] - order[b.severity]).slice(0, 5);
  return <ul class="health" aria-label={t.overview.findings}>{worst.map(f => <FindingLine key={f.code + f.text} finding={f} />)}</ul>;
}

export function FindingLine({ finding }: { finding: Finding }) {
  const href = safeLink(finding.link);
  return (
    <li class={`finding ${finding.severity}`}>
      <span class="finding-mark"><Icon name={finding.severity} /><span class="visually-hidden">{t.system.severity[finding.severity]}</span></span>
      <span><b><Text value={finding.text} /></b>{finding.cause && <> <Text value={finding.cause} class="muted" /></>}{finding.remedy && <span class="remedy"><Text value={finding.remedy} /></span>}</span>
      {href && <a href={href} class="button quiet">{t.system.look}<Icon name="next" /></a>}
    </li>
  );
}

function Numbers({ data }: { data: OverviewData }) {
  const { counts, cap } = data;
  const lost = data.workersTotal - data.workersAlive;
  return (
    <div class="numbers">
      <Number name={t.overview.ready} href={link("jobs", { q: "state:ready" })}>{capped(counts.ready ?? 0, cap)}</Number>
      <Number name={t.overview.running} href={link("jobs", { q: "state:running" })}>{capped(counts.running ?? 0, cap)}</Number>
      <Number name={t.overview.oldest} href={link("jobs", { q: "state:ready" })}>{data.oldestReady ? <Age iso={data.oldestReady} /> : <span class="muted">{t.overview.none}</span>}</Number>
      <Number name={t.overview.done} href={link("jobs", { q: "state:succeeded finished>-1h" })}>{rate(data.donePerMinute)}</Number>
      <Number name={t.overview.failed} href={link("failures", { hours: "1" })} isLoud={data.failedLastHour > 0}>{count(data.failedLastHour)}</Number>
      <Number name={t.overview.workers} href="workers" isLoud={lost > 0 || data.workersAlive === 0}>{t.overview.workersOf(data.workersAlive, data.workersTotal)}</Number>
    </div>
  );
}

function Number({ name, href, isLoud, children }: { name: string; href: string; isLoud?: boolean; children: ComponentChildren }) {
  return <a href={href} class={`figure ${isLoud ? "loud" : ""}`}><span class="figure-name">{name}</span><span class="figure-value">{children}</span></a>;
}
