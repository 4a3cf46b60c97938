import { submitOf } from "../act/submit.tsx";
import { useQuery } from "../api/query.ts";
import type { JobList, JobType } from "../api/types.ts";
import { millrace } from "../pure/commands.ts";
import { term } from "../pure/filter.ts";
import { count, percent, plural } from "../pure/number.ts";
import { fieldsOf } from "../pure/schema.ts";
import { duration } from "../pure/time.ts";
import { link, path } from "../router.ts";
import { may } from "../state/me.ts";
import { t } from "../text.ts";
import { Charts } from "../ui/Charts.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Page } from "../ui/Page.tsx";
import { Button, Empty, Fact, Facts, Loaded, Panel } from "../ui/Parts.tsx";
import { Ago, Text } from "../ui/Words.tsx";
import { JobTable } from "./jobs/JobTable.tsx";
import { Slowest } from "./Slowest.tsx";

export function Types() {
  const types = useQuery<{ types: JobType[] }>("types", { everyMs: 3_000 });
  return (
    <Page title={t.pages.types} api="types" cli={millrace("types", "list")}>
      <Loaded query={types}>{data => (
        <Panel>
          {data.types.length === 0 ? <Empty text={t.types.none} hint={t.workers.noneHint} /> : (
            <table class="types">
              <caption class="visually-hidden">{t.pages.types}, {t.types.last24h}</caption>
              <thead>
                <tr>
                  <th scope="col">{t.types.type}</th>
                  <th scope="col" class="c2">{t.types.queue}</th>
                  <th scope="col" class="number">{t.types.succeeded}</th>
                  <th scope="col" class="number c2">{t.types.retried}</th>
                  <th scope="col" class="number">{t.types.failed}</th>
                  <th scope="col" class="number">{t.types.rate}</th>
                  <th scope="col" class="number c2">{t.types.p50}</th>
                  <th scope="col" class="number c2">{t.types.p95}</th>
                  <th scope="col" class="number c3">{t.types.p99}</th>
                  <th scope="col" class="number c3">{t.types.wait}</th>
                  <th scope="col" class="number c2">{t.types.workers}</th>
                </tr>
              </thead>
              <tbody>{data.types.map(type => <Row key={type.name} type={type} />)}</tbody>
            </table>
          )}
        </Panel>
      )}</Loaded>
    </Page>
  );
}

function Row({ type }: { type: JobType }) {
  const { last24h } = type;
  const list = (state: string) => link("jobs", { q: `${term("type", type.name)} state:${state}` });
  const ended = last24h.succeeded + last24h.failed + last24h.retried;
  const ms = (value: number | undefined) => value === undefined ? <span class="muted">–</span> : duration(value);
  return (
    <tr>
      <th scope="row"><a href={path("types", type.name)}><Text value={type.name} /></a>{type.nodes === 0 && <span class="badge loud"><Icon name="warning" />{t.types.missing}</span>}</th>
      <td class="c2"><a href={path("queues", type.queue)}><Text value={type.queue} /></a></td>
      <td class="number"><a href={list("succeeded")}>{count(last24h.succeeded)}</a></td>
      <td class="number c2">{last24h.retried > 0 ? <a href={list("retrying")}>{count(last24h.retried)}</a> : <span class="muted">0</span>}</td>
      <td class={`number ${last24h.failed > 0 ? "loud" : ""}`}>{last24h.failed > 0 ? <a href={list("failed")}>{count(last24h.failed)}</a> : <span class="muted">0</span>}</td>
      <td class="number">{percent(last24h.failed + last24h.retried, ended)}</td>
      <td class="number c2">{ms(last24h.run?.p50Ms)}</td>
      <td class="number c2">{ms(last24h.run?.p95Ms)}</td>
      <td class="number c3">{ms(last24h.run?.p99Ms)}</td>
      <td class="number c3">{ms(last24h.wait?.p95Ms)}</td>
      <td class="number c2">{type.nodes}</td>
    </tr>
  );
}

/** The catalogue entry of a type, what became of its jobs, and a form to submit one. */
export function TypePage({ name }: { name: string }) {
  const type = useQuery<JobType>(path("types", name), { everyMs: 5_000 });
  const q = term("type", name);
  const jobs = useQuery<JobList>(link("jobs", { q, limit: "20" }));
  const aside = may("submit") && type.data.value && <Button kind="primary" icon="play" onClick={() => submitOf(name)}>{t.types.submit}…</Button>;
  return (
    <Page title={t.types.title(name)} heading={<Text value={name} />} api={path("types", name)} cli={millrace("types", "schema", name)} aside={aside}>
      <Loaded query={type}>{data => (
        <div class="pair">
          <Panel title={t.types.defaults}>
            <Facts>
              <Fact name={t.types.queue}><a href={path("queues", data.queue)}><Text value={data.queue} /></a></Fact>
              <Fact name={t.types.attempts}>{data.maxAttempts > 1_000_000 ? t.types.unlimited : count(data.maxAttempts)}</Fact>
              <Fact name={t.types.timeout}>{data.timeoutMs === undefined ? t.types.noTimeout : duration(data.timeoutMs)}{data.isIsolated && <> · {t.types.isolated}</>}</Fact>
              {data.aliases.length > 0 && <Fact name={t.types.aliases}><Text value={data.aliases.join(", ")} /></Fact>}
              <Fact name={t.types.workers}><a href="workers">{plural(data.nodes, "worker")}</a></Fact>
              <Fact name={t.types.firstSeen}><Ago iso={data.firstSeen} /></Fact>
              <Fact name={t.types.lastSeen}><Ago iso={data.lastSeen} /></Fact>
            </Facts>
            <h3>{t.types.ladder}</h3>
            <Ladder retry={data.retry} attempts={data.maxAttempts} />
          </Panel>
          <Panel title={t.types.schema}><SchemaTable schema={data.schema} /></Panel>
        </div>
      )}</Loaded>
      <Charts type={name} />
      <Slowest type={name} />
      <Panel title={t.types.openJobs} aside={<><a href={link("jobs", { q: `${q} state:failed` })}>{t.types.failures}</a><a href={link("jobs", { q })}>{t.overview.all}</a></>}>
        <Loaded query={jobs}>{data => data.jobs.length > 0 ? <JobTable rows={data.jobs} name={t.types.openJobs} /> : <Empty text={t.jobs.none} />}</Loaded>
      </Panel>
    </Page>
  );
}

/** The waits between attempts, each bar as long as the logarithm of its wait: 15 s and a day fit beside each other. */
function Ladder({ retry, attempts }: { retry: number[]; attempts: number }) {
  if (retry.length === 0) return <p class="muted">{t.types.onlyOnce}</p>;
  const longest = Math.log1p(Math.max(...retry));
  const total = retry.reduce((sum, ms) => sum + ms, 0);
  return (
    <>
      <ol class="ladder">{retry.map((ms, i) => <li key={i}><span class="muted">{i + 2}</span><i style={{ width: `${Math.max(2, (Math.log1p(ms) / longest) * 60)}%` }} /><span>+{duration(ms)}</span></li>)}</ol>
      <p class="muted">{t.types.ladderMore(Math.min(attempts, retry.length + 1), duration(total))}</p>
    </>
  );
}

function SchemaTable({ schema }: { schema: JobType["schema"] }) {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return <Empty text={t.types.noSchema} />;
  return (
    <table>
      <caption class="visually-hidden">{t.types.schema}</caption>
      <thead><tr><th scope="col">{t.types.member}</th><th scope="col">{t.types.kind}</th><th scope="col"><span class="visually-hidden">{t.types.required}</span></th></tr></thead>
      <tbody>{fields.map(f => (
        <tr key={f.name}>
          <th scope="row" class="mono"><Text value={f.name} /></th>
          <td>{f.choices ? <Text value={f.choices.join(" | ")} class="mono" /> : f.kind}{f.description && <span class="sub"><Text value={f.description} /></span>}</td>
          <td class="muted">{f.isRequired ? t.types.required : t.form.optional}</td>
        </tr>
      ))}</tbody>
    </table>
  );
}
