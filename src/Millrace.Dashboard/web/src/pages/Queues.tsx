import { pauseQueue, resumeQueue } from "../act/things.tsx";
import { useQuery } from "../api/query.ts";
import type { JobList, Queue } from "../api/types.ts";
import { millrace } from "../pure/commands.ts";
import { drain } from "../pure/drain.ts";
import { term } from "../pure/filter.ts";
import { count, rate } from "../pure/number.ts";
import { link, path } from "../router.ts";
import { may } from "../state/me.ts";
import { t } from "../text.ts";
import { Charts } from "../ui/Charts.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Page } from "../ui/Page.tsx";
import { Empty, Loaded, Panel } from "../ui/Parts.tsx";
import { StateBar } from "../ui/StateBar.tsx";
import { Age, Ago, At, Text } from "../ui/Words.tsx";
import { JobTable } from "./jobs/JobTable.tsx";
import type { Pause } from "../api/types.ts";

interface QueueList {
  queues: Queue[];
}

export function Queues() {
  const queues = useQuery<QueueList>("queues");
  return (
    <Page title={t.pages.queues} api="queues" cli={millrace("queues", "list")}>
      <Loaded query={queues}>{data => <Panel>{data.queues.length > 0 ? <QueueTable queues={data.queues} hasActions /> : <Empty text={t.queues.none} hint={t.overview.howFirst} />}</Panel>}</Loaded>
    </Page>
  );
}

/** One queue: its own charts, and what stands in it. */
export function QueuePage({ name }: { name: string }) {
  const queues = useQuery<QueueList>("queues");
  const q = term("queue", name);
  const address = link("jobs", { q, limit: "20" });
  const jobs = useQuery<JobList>(address);
  const queue = queues.data.value?.queues.find(x => x.name === name);
  return (
    <Page title={t.queues.title(name)} heading={<Text value={name} />} api="queues" cli={millrace("list", q)} aside={queue && <PauseButton queue={queue} />}>
      {queue?.pause && <PauseNote pause={queue.pause} />}
      <Loaded query={queues}>{() => queue ? <Panel><QueueTable queues={[queue]} /></Panel> : <Empty text={t.problem.notFound} />}</Loaded>
      <Charts queue={name} />
      <Panel title={t.queues.jobsHere} aside={<a href={link("jobs", { q })}>{t.overview.all}</a>}>
        <Loaded query={jobs}>{data => data.jobs.length > 0 ? <JobTable rows={data.jobs} name={t.queues.jobsHere} /> : <Empty text={t.jobs.none} />}</Loaded>
      </Panel>
    </Page>
  );
}

export function QueueTable({ queues, hasActions }: { queues: Queue[]; hasActions?: boolean }) {
  return (
    <table class="queues">
      <caption class="visually-hidden">{t.pages.queues}</caption>
      <thead>
        <tr>
          <th scope="col">{t.queues.queue}</th>
          <th scope="col" class="c3 bar-cell">{t.queues.bar}</th>
          <th scope="col" class="number">{t.queues.ready}</th>
          <th scope="col" class="number">{t.queues.running}</th>
          <th scope="col" class="number c2">{t.queues.oldest}</th>
          <th scope="col" class="number c3">{t.queues.scheduled}</th>
          <th scope="col" class="number c3">{t.queues.waiting}</th>
          <th scope="col" class="number c2">{t.queues.arrivals}</th>
          <th scope="col" class="number c2">{t.queues.rate}</th>
          <th scope="col" class="number c2">{t.queues.failed}</th>
          <th scope="col" class="number c2">{t.queues.workers}</th>
          <th scope="col" class="number">{t.queues.empties}</th>
          {hasActions && <th scope="col"><span class="visually-hidden">{t.queues.pause}</span></th>}
        </tr>
      </thead>
      <tbody>{queues.map(queue => <QueueRow key={queue.name} queue={queue} hasActions={hasActions} />)}</tbody>
    </table>
  );
}

function QueueRow({ queue, hasActions }: { queue: Queue; hasActions?: boolean }) {
  const estimate = drain(queue);
  const jobs = (state: string) => link("jobs", { q: `${term("queue", queue.name)} state:${state}` });
  const hasNobody = queue.nodes === 0 && queue.ready > 0;
  return (
    <tr>
      <th scope="row"><a href={path("queues", queue.name)}><Text value={queue.name} /></a>{queue.pause && <span class="badge"><Icon name="pause" />{t.shell.mode.paused}</span>}{queue.pause && hasActions && <PauseNote pause={queue.pause} isSmall />}</th>
      <td class="c3 bar-cell"><StateBar queue={queue} /></td>
      <td class="number"><Link href={jobs("ready")} value={queue.ready} /></td>
      <td class="number"><Link href={jobs("running")} value={queue.running} /></td>
      <td class="number c2">{queue.oldestReady ? <Age iso={queue.oldestReady} /> : <span class="muted">–</span>}</td>
      <td class="number c3"><Link href={jobs("scheduled,retrying")} value={queue.scheduled} /></td>
      <td class="number c3"><Link href={jobs("waiting,quarantined")} value={queue.waiting} /></td>
      <td class="number c2">{rate(queue.arrivalsPerMinute)}</td>
      <td class="number c2">{rate(queue.endsPerMinute)}</td>
      <td class={`number c2 ${queue.failedLastHour > 0 ? "loud" : ""}`}><Link href={link("jobs", { q: `${term("queue", queue.name)} state:failed finished>-1h` })} value={queue.failedLastHour} /></td>
      <td class="number c2">{hasNobody ? <span class="loud"><Icon name="warning" /> 0</span> : <a href="workers">{queue.nodes}</a>}</td>
      <td class={`number drain drain-${estimate.kind}`}>{estimate.kind === "never" && <Icon name="warning" />}{estimate.text}</td>
      {hasActions && <td class="right"><PauseButton queue={queue} /></td>}
    </tr>
  );
}

function Link({ href, value }: { href: string; value: number }) {
  return value === 0 ? <span class="muted">0</span> : <a href={href}>{count(value)}</a>;
}

function PauseButton({ queue }: { queue: Queue }) {
  if (!may("administer")) return null;
  return queue.pause
    ? <button type="button" class="button" onClick={() => resumeQueue(queue)}><Icon name="play" />{t.queues.resume}<span class="visually-hidden"> {queue.name}</span></button>
    : <button type="button" class="button" onClick={() => pauseQueue(queue)}><Icon name="pause" />{t.queues.pause}<span class="visually-hidden"> {queue.name}</span></button>;
}

/** Who stopped it, since when, why and until when. */
export function PauseNote({ pause, isSmall }: { pause: Pause; isSmall?: boolean }) {
  const content = (
    <>
      {t.shell.mode.paused} {pause.by && <>by <Text value={pause.by} /> </>}<Ago iso={pause.since} />{pause.reason && <>: <Text value={pause.reason} /></>}{pause.until && <> · {t.queues.until.toLowerCase()} <At iso={pause.until} /></>}
    </>
  );
  return isSmall ? <span class="sub">{content}</span> : <p class="note"><Icon name="pause" /><span>{content}</span></p>;
}
