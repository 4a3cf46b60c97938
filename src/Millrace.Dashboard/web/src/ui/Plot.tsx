import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { StatPoint } from "../api/types.ts";
import { short } from "../pure/number.ts";
import { duration } from "../pure/time.ts";
import { shown, zone } from "../state/settings.ts";

export interface Series {
  name: string;
  /** A CSS variable's name. */
  color: string;
  values: (number | null)[];
  dash?: number[];
  isHatched?: boolean;
  width?: number;
}

interface PlotProps {
  points: StatPoint[];
  stepSeconds: number;
  series: Series[];
  kind: "stack" | "lines";
  /** Moments to mark with a line from top to bottom, in milliseconds. */
  marks: number[];
  height: number;
  onZoom: (from: number, to: number) => void;
  onHover: (index: number | undefined) => void;
}

/** A drawing only: its numbers stand in the legend above it and in the table below it. */
export default function Plot({ points, stepSeconds, series, kind, marks, height, onZoom, onHover }: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const latest = useRef({ onZoom, onHover, marks });
  latest.current = { onZoom, onHover, marks };
  const theme = shown.value, times = zone.value;

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const drawn = plot.current = new uPlot(options(element, series, kind, height, times, latest), [[]], element);
    const watcher = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }));
    watcher.observe(element);
    return () => { watcher.disconnect(); drawn.destroy(); plot.current = undefined; };
  }, [theme, times, kind, height, stepSeconds, series.length]);

  useEffect(() => {
    const xs = points.map(p => Date.parse(p.at) / 1000);
    plot.current?.setData([xs, ...(kind === "stack" ? stacked(series) : series.map(s => s.values))] as uPlot.AlignedData);
  }, [points, theme, times, stepSeconds]);

  return <div class="plot" ref={host} aria-hidden="true" />;
}

/** Each series on top of those before it, the last one first: bars are drawn over one another. */
function stacked(series: Series[]): (number | null)[][] {
  const sums: number[][] = [];
  for (const s of series) sums.push(s.values.map((value, i) => (value ?? 0) + (sums.at(-1)?.[i] ?? 0)));
  // Nothing is drawn for nothing: a bar of no height would still have an edge.
  return sums.map((sum, n) => sum.map((value, i) => (series[n]?.values[i] ?? 0) > 0 ? value : null)).reverse();
}

function options(element: HTMLElement, series: Series[], kind: "stack" | "lines", height: number, times: string, latest: { current: Pick<PlotProps, "onZoom" | "onHover" | "marks"> }): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const line = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, font: `11px ${style.fontFamily}`, gap: 4 };
  const ordered = kind === "stack" ? [...series].reverse() : series;
  return {
    width: element.clientWidth || 600, height, legend: { show: false }, padding: [8, 16, 0, 0],
    tzDate: times === "utc" ? ts => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC") : undefined,
    cursor: { y: false, points: { show: kind === "lines", size: 6 }, drag: { x: true, y: false, setScale: false } },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: true },
      y: kind === "stack" ? { range: (_, __, max) => [0, Math.max(1, max * 1.08)] } : { distr: 3, range: (_, min, max) => decades(min ?? 1, max ?? 10) },
    },
    axes: [
      { ...line, grid: { show: false }, size: 24, space: 64, values: axisTimes(times) },
      kind === "stack"
        ? { ...line, size: 44, space: 36, incrs: wholes, values: (_, values) => values.map(v => Number.isInteger(v) ? short(v) : "") }
        : { ...line, size: 54, splits: u => marks(u.scales.y?.min ?? 1, u.scales.y?.max ?? 10), filter: (_, splits) => splits, values: (_, values) => values.map(v => duration(v)) },
    ],
    series: [{}, ...ordered.map(s => kind === "stack"
      ? { label: s.name, fill: s.isHatched ? () => hatch(color(s.color)) : color(s.color), stroke: s.isHatched ? color(s.color) : undefined, width: s.isHatched ? 1 / devicePixelRatio : 0, points: { show: false }, paths: uPlot.paths.bars?.({ size: [0.86, 24], align: 1 }) }
      : { label: s.name, stroke: color(s.color), width: s.width ?? 1.5, dash: s.dash, points: { show: (u: uPlot, index: number) => isSparse(u, index), size: 5, fill: color(s.color) }, spanGaps: true })],
    hooks: {
      setSelect: [u => {
        const { left, width } = u.select;
        if (width > 4) latest.current.onZoom(u.posToVal(left, "x") * 1000, u.posToVal(left + width, "x") * 1000);
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      }],
      draw: [u => drawMarks(u, latest.current.marks, color("--text"))],
      setCursor: [u => latest.current.onHover(u.cursor.idx ?? undefined)],
    },
  };
}

/** Told apart from the grid by its dashes and the flag at its top. */
function drawMarks(u: uPlot, marks: number[], color: string): void {
  const { ctx, bbox } = u, pixel = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.lineWidth = pixel;
  for (const mark of marks) {
    const x = Math.round(u.valToPos(mark / 1000, "x", true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.setLineDash([3 * pixel, 3 * pixel]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x + 7 * pixel, bbox.top + 3.5 * pixel);
    ctx.lineTo(x, bbox.top + 7 * pixel);
    ctx.fill();
  }
  ctx.restore();
}

/** Failed bars are told apart without colour too. */
function hatch(color: string): CanvasPattern | string {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const context = tile.getContext("2d");
  if (!context) return color;
  context.fillStyle = color;
  context.globalAlpha = 0.45;
  context.fillRect(0, 0, 6, 6);
  context.globalAlpha = 1;
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(-1, 7);
  context.lineTo(7, -1);
  context.stroke();
  return context.createPattern(tile, "repeat") ?? color;
}

const wholes = [1, 2, 5].flatMap(n => Array.from({ length: 9 }, (_, power) => n * 10 ** power)).sort((a, b) => a - b);

/** A line through few points may be no line at all. */
function isSparse(u: uPlot, index: number): boolean {
  return Array.from(u.data[index] ?? []).filter(value => value !== null).length < 40;
}

/** From a whole power of ten to another: a logarithmic axis reads well only like this. */
function decades(min: number, max: number): [number, number] {
  const low = Math.floor(Math.log10(Math.max(1, min))), high = Math.ceil(Math.log10(Math.max(2, max)));
  return [min < 1 ? 0.4 : 10 ** low * 0.8, 10 ** Math.max(high, low + 1)];
}

const second = 1_000, minute = 60_000, hour = 3_600_000;
const roundTimes = [1, 10, 100, second, 10 * second, minute, 10 * minute, hour, 10 * hour, 100 * hour, 1000 * hour];

/** Round times in between, at most five of them. */
function marks(min: number, max: number): number[] {
  const all = roundTimes.filter(time => time >= min && time <= max);
  const step = Math.max(1, Math.ceil(all.length / 5));
  return all.filter((_, i) => i % step === 0);
}

function axisTimes(times: string): (u: uPlot, splits: number[]) => string[] {
  const zoneName = times === "utc" ? "UTC" : undefined;
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zoneName });
  const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: zoneName });
  return (_, splits) => splits.map((at, i) => {
    const text = clock.format(at * 1000);
    const isDaily = (splits[1] ?? at) - (splits[0] ?? at) >= 86_000;
    return isDaily || text === "00:00" ? day.format(at * 1000) : i >= 0 ? text : "";
  });
}
