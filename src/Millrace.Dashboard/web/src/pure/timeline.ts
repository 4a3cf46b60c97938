import type { Attempt, JobRow } from "../api/types.ts";

export interface Segment {
  kind: "delay" | "wait" | "run" | "backoff";
  outcome?: string;
  attempt?: number;
  run?: number;
  from: number;
  to: number;
  /** Still going on at `now`, or lies ahead of it. */
  isOpen: boolean;
  /** Share of the width, by weight: see `weigh`. */
  weight: number;
  /** Drawn shorter than to scale. */
  isFolded: boolean;
}

/** The life of a job as one line of segments without holes: delays and waits between runs, oldest first. */
export function timeline(row: JobRow, attempts: Attempt[], now: number): Segment[] {
  const found: Segment[] = [];
  const ordered = [...attempts].sort((a, b) => a.run - b.run);
  const add = (kind: Segment["kind"], from: number, to: number, more: Partial<Segment> = {}) => {
    if (to > from) found.push({ kind, from, to, isOpen: false, weight: 0, isFolded: false, ...more });
  };
  let at = Date.parse(row.created);
  let isFirst = true;
  for (const attempt of ordered) {
    const started = Date.parse(attempt.started), finished = Date.parse(attempt.finished);
    before(at, started, isFirst);
    add("run", started, Math.max(finished, started + 1), { outcome: attempt.outcome, attempt: attempt.attempt, run: attempt.run });
    at = finished;
    isFirst = false;
  }
  if (row.state === "running" && row.started) {
    before(at, Date.parse(row.started), isFirst);
    add("run", Date.parse(row.started), Math.max(now, Date.parse(row.started) + 1), { attempt: row.attempt, run: row.run, isOpen: true });
  } else if (row.state === "scheduled" || row.state === "retrying") {
    add(isFirst ? "delay" : "backoff", at, Math.max(Date.parse(row.due), now), { isOpen: true });
  } else if (row.state === "ready" || row.state === "waiting" || row.state === "quarantined") {
    add("wait", at, now, { isOpen: true });
  }
  return weigh(found);

  function before(from: number, to: number, first: boolean): void {
    const due = Date.parse(row.due);
    if (!first) { add("backoff", from, to); return; }
    // The due time of a job that is to be retried lies after its first run: then only the wait as a whole is known.
    if (due - from > 1000 && due <= to) { add("delay", from, due); add("wait", due, to); } else add("wait", from, to);
  }
}

/** To scale, but one long gap must not make everything else a hairline: nothing but runs takes more than a third of the line. */
function weigh(segments: Segment[]): Segment[] {
  const total = segments.reduce((sum, s) => sum + (s.to - s.from), 0) || 1;
  return segments.map(s => {
    const share = (s.to - s.from) / total;
    const most = s.kind === "run" ? 0.6 : 0.3;
    return { ...s, weight: 100 * Math.max(0.03, Math.min(share, most)), isFolded: share > most && segments.length > 1 };
  });
}
