import { drainWorker, resumeWorker } from "../act/things.tsx";
import { now } from "../api/live.ts";
import { useQuery } from "../api/query.ts";
import type { Worker, Workers as WorkerList } from "../api/types.ts";
import { millrace } from "../pure/commands.ts";
import { term } from "../pure/filter.ts";
import { count, share, size } from "../pure/number.ts";
import { duration } from "../pure/time.ts";
import { visible } from "../pure/visible.ts";
import { link, path } from "../router.ts";
import { may } from "../state/me.ts";
import { t } from "../text.ts";
import { Icon } from "../ui/Icon.tsx";
import { Page } from "../ui/Page.tsx";
import { Button, Empty, Loaded, Panel } from "../ui/Parts.tsx";
import { Age, Ago, Text } from "../ui/Words.tsx";
import { PauseNote } from "./Queues.tsx";

export function Workers() {
  const workers = useQuery<WorkerList>("workers");
  return (
    <Page title={t.pages.workers} api="workers" cli={millrace("workers", "list")}>
      <Loaded query={workers}>{data => (
        <Panel>
          {data.workers.length === 0 ? <Empty text={t.workers.none} hint={t.workers.noneHint} /> : (
            <table class="workers">
              <caption class="visually-hidden">{t.pages.workers}</caption>
              <thead>
                <tr>
                  <th scope="col">{t.workers.worker}</th>
                  <th scope="col">{t.workers.running}</th>
                  <th scope="col" class="c2">{t.workers.queues}</th>
                  <th scope="col" class="number c2" title={t.workers.cpuMore}>{t.workers.cpu}</th>
                  <th scope="col" class="number c2">{t.workers.memory}</th>
                  <th scope="col" class="number c3" title={t.workers.poolMore}>{t.workers.pool}</th>
                  <th scope="col" class="number c2">{t.workers.up}</th>
                  <th scope="col" class="c3">{t.workers.beat}</th>
                  <th scope="col"><span class="visually-hidden">{t.workers.drain}</span></th>
                </tr>
              </thead>
              <tbody>{ordered(data.workers).map(w => <Row key={w.id} worker={w} />)}</tbody>
            </table>
          )}
        </Panel>
      )}</Loaded>
    </Page>
  );
}

/** Each server with its children below it; lost ones last. */
function ordered(workers: Worker[]): Worker[] {
  const byName = [...workers].sort((a, b) => Number(b.isAlive) - Number(a.isAlive) || a.name.localeCompare(b.name));
  const ids = new Set(workers.map(w => w.id));
  const tops = byName.filter(w => !w.server || !ids.has(w.server) || w.server === w.id);
  return tops.flatMap(top => [top, ...byName.filter(w => w.server === top.id && w.id !== top.id)]);
}

const mostCells = 64;
// A pool that keeps up has hardly ever more than its threads at once.
const longPoolQueue = 100;
const nothing = <span class="muted">–</span>;

function Row({ worker }: { worker: Worker }) {
  const isChild = worker.kind === "worker" && worker.server !== undefined;
  return (
    <tr class={`tall ${worker.isAlive ? "" : "lost"}`}>
      <th scope="row" class={isChild ? "child" : ""}>
        <a href={link("jobs", { q: `${term("worker", worker.name)}` })}><Text value={worker.name} /></a> <span class="badge">{isChild ? t.workers.child : t.workers.server}</span>
        {worker.drain ? <PauseNote pause={worker.drain} isSmall /> : <span class="sub mono">{worker.id.slice(0, 8)}{worker.version && <> · <Text value={worker.version} /></>}</span>}
      </th>
      <td>
        <span class="cells">
          {worker.running.slice(0, mostCells).map(r => {
            const name = t.workers.cell(visible(r.type), r.jobId, duration(Math.max(0, now.value - Date.parse(r.claimed))));
            return <a key={r.jobId} href={path("jobs", r.jobId)} class="cell s-running" title={name} aria-label={name}><Icon name="running" />{r.progress !== undefined && <i class="cell-progress" style={{ height: `${r.progress}%` }} />}</a>;
          })}
          {worker.runningCount > Math.min(worker.running.length, mostCells) && <a href={link("jobs", { q: `state:running ${term("worker", worker.name)}` })}>{t.workers.andMore(worker.runningCount - Math.min(worker.running.length, mostCells))}</a>}
          {worker.runningCount === 0 && <span class="muted">{t.workers.nothing}</span>}
        </span>
        {worker.runningCount > 0 && <span class="sub">{count(worker.runningCount)} · {[...new Set(worker.running.map(r => r.type))].slice(0, 4).map((type, i) => <>{i > 0 && ", "}<Text value={type} /></>)}</span>}
      </td>
      <td class="c2 names">{worker.queues.map((q, i) => <>{i > 0 && ", "}<a href={path("queues", q)}><Text value={q} /></a></>)}</td>
      <td class="number c2">{worker.load?.cpu === undefined ? nothing : share(worker.load.cpu)}</td>
      <td class="number c2">{worker.load ? size(worker.load.memory) : nothing}</td>
      <td class={`number c3 ${worker.load && worker.load.poolQueue >= longPoolQueue ? "loud" : ""}`}>{worker.load ? count(worker.load.poolQueue) : nothing}</td>
      <td class="number c2"><Age iso={worker.started} /></td>
      <td class="c3"><Life worker={worker} /></td>
      <td class="right">{may("administer") && worker.isAlive && (worker.drain
        ? <Button icon="play" onClick={() => resumeWorker(worker)}>{t.workers.resume}</Button>
        : <Button icon="drain" onClick={() => drainWorker(worker)}>{t.workers.drain}</Button>)}</td>
    </tr>
  );
}

function Life({ worker }: { worker: Worker }) {
  if (!worker.isAlive) return <span class="state s-failed"><Icon name="failed" />{t.workers.lost}{worker.died && <>&nbsp;<Ago iso={worker.died} /></>}</span>;
  const word = worker.drain ? t.workers.draining : worker.isIdle ? t.workers.idle : t.workers.alive;
  return <span class={`state s-${worker.drain ? "retrying" : "succeeded"}`}><Icon name={worker.drain ? "pause" : "succeeded"} />{word}</span>;
}
