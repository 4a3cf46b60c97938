import type { Slowest, SlowRun } from "../api/slowest.ts";

export const mostSlow = 20;

/** What one search found and what the one that went on from there found, as one. */
export function joined(before: Slowest | undefined, after: Slowest): Slowest {
  const runs = [...(before?.runs ?? []), ...after.runs].sort((a, b) => b.tookMs - a.tookMs || newer(a, b)).slice(0, mostSlow);
  return { ...after, since: before?.since ?? after.since, runs, examined: (before?.examined ?? 0) + after.examined };
}

function newer(a: SlowRun, b: SlowRun): number {
  return BigInt(a.jobId) === BigInt(b.jobId) ? b.run - a.run : BigInt(a.jobId) > BigInt(b.jobId) ? -1 : 1;
}
