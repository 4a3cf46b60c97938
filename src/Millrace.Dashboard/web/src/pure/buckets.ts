import type { StatPoint, Stats } from "../api/types.ts";

export const ranges = { "1h": 3600, "6h": 6 * 3600, "24h": 24 * 3600, "7d": 7 * 86400, "30d": 30 * 86400 } as const;
export type Range = keyof typeof ranges;

const steps = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

/** The narrowest bucket that keeps a chart at 180 points or fewer. Roll-ups are per minute, so never below 60 s. */
export function stepFor(seconds: number): number {
  return steps.find(step => seconds / step <= 180) ?? 86400;
}

/** Points at every step from start to end: minutes without an attempt are not stored, but are not gaps. */
export function fill(stats: Stats): StatPoint[] {
  const step = stats.stepSeconds * 1000;
  const from = Math.ceil(Date.parse(stats.from) / step) * step, to = Date.parse(stats.to);
  const known = new Map(stats.points.map(p => [Math.floor(Date.parse(p.at) / step) * step, p]));
  const all: StatPoint[] = [];
  for (let at = Math.min(from, ...known.keys()); at <= to && all.length < 1000; at += step) {
    all.push(known.get(at) ?? { at: new Date(at).toISOString(), succeeded: 0, failed: 0, retried: 0, cancelled: 0, interrupted: 0, other: 0 });
  }
  return all;
}

export function sum(points: StatPoint[], of: "succeeded" | "failed" | "retried"): number {
  return points.reduce((total, point) => total + point[of], 0);
}
