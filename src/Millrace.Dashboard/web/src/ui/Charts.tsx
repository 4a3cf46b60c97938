import { lazy, Suspense } from "./lazy.tsx";
import { useState } from "preact/hooks";
import { now } from "../api/live.ts";
import { useQuery } from "../api/query.ts";
import type { Deployment, StatPoint, Stats } from "../api/types.ts";
import { fill, ranges, stepFor, sum, type Range } from "../pure/buckets.ts";
import { count } from "../pure/number.ts";
import { absolute, duration } from "../pure/time.ts";
import { goQuery, link, place } from "../router.ts";
import { zone } from "../state/settings.ts";
import { t } from "../text.ts";
import { term } from "../pure/filter.ts";
import { Segments } from "./Fields.tsx";
import { Button, Empty, Panel, ProblemNote } from "./Parts.tsx";
import type { Series } from "./Plot.tsx";
import { At, Text } from "./Words.tsx";

const Plot = lazy(() => import("./Plot.tsx"));

const mostDeployments = 5;

interface Window {
  range?: Range;
  from: number;
  to: number;
  step: number;
}

/** The time that charts show: a range that ends now, or a piece of time that was zoomed into; both stand in the address. */
function windowOf(query: URLSearchParams, at: number): Window {
  const from = Date.parse(query.get("from") ?? ""), to = Date.parse(query.get("to") ?? "");
  if (Number.isFinite(from) && Number.isFinite(to) && to > from) return { from, to, step: stepFor((to - from) / 1000) };
  const given = query.get("range") as Range | null;
  const range: Range = given && given in ranges ? given : "1h";
  const step = stepFor(ranges[range]);
  // Ends at a whole step, so that the address stays the same until the next one begins.
  const end = Math.ceil(at / (step * 1000)) * step * 1000;
  return { range, from: end - ranges[range] * 1000, to: end, step };
}

export function Charts({ queue, type }: { queue?: string; type?: string }) {
  const view = windowOf(place.value.query, now.value);
  const address = link("stats", {
    from: new Date(view.from).toISOString(), to: new Date(view.to).toISOString(), stepSeconds: String(view.step), queue, type,
  });
  const stats = useQuery<Stats>(address, { everyMs: 4_000 });
  const [old, setOld] = useState<Stats>();
  const fresh = stats.data.value;
  if (fresh && fresh !== old) setOld(fresh);
  // While the next piece of time is on its way, the last one stays.
  const data = fresh ?? old;
  const onZoom = (from: number, to: number) => goQuery({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), range: undefined }, false);
  const chooser = (
    <>
      {!view.range && <Button kind="quiet" icon="close" onClick={() => goQuery({ from: undefined, to: undefined })}>{t.chart.reset}</Button>}
      <Segments name={t.chart.range} value={view.range} options={(Object.keys(ranges) as Range[]).map(r => [r, r])} onChange={range => goQuery({ range, from: undefined, to: undefined })} />
    </>
  );
  return (
    <Panel title={<>{t.overview.throughput} <span class="muted">{t.chart.perBucket(duration(view.step * 1000))}</span></>} aside={chooser} class="charts">
      {!data && stats.error.value && <ProblemNote error={stats.error.value} />}
      {data ? <Drawn stats={data} onZoom={onZoom} queue={queue} type={type} /> : <div class="chart-space" />}
    </Panel>
  );
}

function Drawn({ stats, onZoom, queue, type }: { stats: Stats; onZoom: (from: number, to: number) => void; queue?: string; type?: string }) {
  const points = fill(stats);
  const scope = [queue && term("queue", queue), type && term("type", type)].filter(x => x).join(" ");
  const isEmpty = points.every(p => p.succeeded + p.failed + p.retried === 0);
  const of = (name: "succeeded" | "failed" | "retried") => points.map(p => p[name]);
  const attempts: Series[] = [
    { name: t.chart.succeeded, color: "--s-succeeded", values: of("succeeded") },
    { name: t.chart.retried, color: "--s-retrying", values: of("retried") },
    { name: t.chart.failed, color: "--s-failed", values: of("failed"), isHatched: true },
  ];
  const links = [`${scope} state:succeeded`, `${scope} state:retrying`, `${scope} state:failed`].map(q => link("jobs", { q: q.trim() }));
  const totals = [sum(points, "succeeded"), sum(points, "retried"), sum(points, "failed")];
  return (
    <>
      <Chart name={t.overview.throughput} series={attempts} points={points} stats={stats} kind="stack" unit="count" height={180} onZoom={onZoom} totals={totals.map(count)} links={links} />
      <Deployments deployments={stats.deployments} />
      {isEmpty ? <Empty text={t.chart.none} /> : (
        <div class="chart-pair">
          <Chart name={t.chart.wait} series={percentiles(points, "wait")} points={points} stats={stats} kind="lines" unit="ms" height={130} onZoom={onZoom} />
          <Chart name={t.chart.run} series={percentiles(points, "run")} points={points} stats={stats} kind="lines" unit="ms" height={130} onZoom={onZoom} />
        </div>
      )}
    </>
  );
}

/** What the marks in the charts stand for, newest first. */
function Deployments({ deployments }: { deployments: Deployment[] }) {
  if (deployments.length === 0) return null;
  const newest = deployments.slice(-mostDeployments).reverse();
  return (
    <ul class="legend deployments" aria-label={t.chart.deployments}>
      {newest.map(d => <li key={d.at + d.application}><i class="swatch mark" /><Text value={d.application} /> <b><Text value={d.version} /></b> <At iso={d.at} /></li>)}
      {deployments.length > mostDeployments && <li>{t.workers.andMore(deployments.length - mostDeployments)}</li>}
    </ul>
  );
}

function percentiles(points: StatPoint[], of: "wait" | "run"): Series[] {
  // A logarithm has no zero: what took less than half a millisecond stands at the bottom.
  const values = (name: "p50Ms" | "p95Ms" | "p99Ms") => points.map(p => { const value = p[of]?.[name]; return value === undefined ? null : Math.max(0.5, value); });
  return [
    { name: t.chart.p50, color: "--text", values: values("p50Ms"), width: 2 },
    { name: t.chart.p95, color: "--s-running", values: values("p95Ms"), width: 1.5 },
    { name: t.chart.p99, color: "--s-scheduled", values: values("p99Ms"), width: 1.25, dash: [4, 3] },
  ];
}

interface ChartProps {
  name: string;
  series: Series[];
  points: StatPoint[];
  stats: Stats;
  kind: "stack" | "lines";
  unit: "count" | "ms";
  height: number;
  onZoom: (from: number, to: number) => void;
  totals?: string[];
  links?: string[];
}

function Chart({ name, series, points, stats, kind, unit, height, onZoom, totals, links }: ChartProps) {
  const [hover, setHover] = useState<number>();
  const say = (value: number | null | undefined) => value === null || value === undefined ? "–" : unit === "ms" ? duration(value) : count(value);
  const point = hover === undefined ? undefined : points[hover];
  const latest = (s: Series) => say(s.values.findLast(v => v !== null));
  const text = series.map((s, i) => `${s.name} ${totals?.[i] ?? latest(s)}`).join(", ");
  const from = absolute(stats.from, zone.value, now.value), to = absolute(stats.to, zone.value, now.value);
  return (
    <figure class="chart">
      <figcaption>
        {kind === "lines" && <span class="chart-name">{name}</span>}
        <span class="visually-hidden">{t.chart.summary(name, text, from, to)} {t.chart.brush}</span>
        <ul class="legend">
          {series.map((s, i) => (
            <li key={s.name}>
              <i class={`swatch ${s.isHatched ? "hatched" : ""} ${kind}`} style={{ color: `var(${s.color})` }} />
              {links?.[i] ? <a href={links[i]}>{s.name}</a> : s.name} <b>{point ? say(s.values[hover ?? 0]) : totals?.[i] ?? latest(s)}</b>
            </li>
          ))}
          <li class="legend-at muted">{point && <At iso={point.at} />}</li>
        </ul>
      </figcaption>
      <Suspense height={height}><Plot points={points} stepSeconds={stats.stepSeconds} series={series} kind={kind} marks={stats.deployments.map(d => Date.parse(d.at))} height={height} onZoom={onZoom} onHover={setHover} /></Suspense>
      <ChartTable name={name} series={series} points={points} say={say} />
    </figure>
  );
}

/** The same numbers to read: made only when somebody asks. */
function ChartTable({ name, series, points, say }: { name: string; series: Series[]; points: StatPoint[]; say: (value: number | null | undefined) => string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="chart-table" open={isOpen} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>{t.chart.table}</summary>
      {isOpen && (
        <div class="scroll" tabIndex={0} role="region" aria-label={name}>
          <table>
            <caption class="visually-hidden">{name}</caption>
            <thead><tr><th scope="col">{t.chart.at}</th>{series.map(s => <th key={s.name} scope="col" class="number">{s.name}</th>)}</tr></thead>
            <tbody>{points.map((p, i) => <tr key={p.at}><th scope="row"><At iso={p.at} /></th>{series.map(s => <td key={s.name} class="number">{say(s.values[i])}</td>)}</tr>).reverse()}</tbody>
          </table>
        </div>
      )}
    </details>
  );
}
