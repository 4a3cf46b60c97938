import type { Queue } from "../api/types.ts";
import { duration } from "./time.ts";

export interface Drain {
  kind: "empty" | "empties" | "never" | "paused" | "stands";
  text: string;
}

/** When a queue will be empty, in words. Nobody works on it: never; nothing ends: it stands. */
export function drain(queue: Queue): Drain {
  if (queue.pause) return { kind: "paused", text: "paused" };
  if (queue.ready === 0) return { kind: "empty", text: "empty" };
  if (queue.nodes === 0) return { kind: "never", text: "never: no worker" };
  if (queue.emptyInMs !== undefined) return { kind: "empties", text: `in ~${duration(roughly(queue.emptyInMs))}` };
  if (queue.endsPerMinute > 0) return { kind: "empties", text: `in ~${duration(roughly((queue.ready / queue.endsPerMinute) * 60_000))}` };
  return { kind: "stands", text: "not yet known" };
}

/** An estimate with the precision it deserves: 847 s becomes 14 min. */
export function roughly(ms: number): number {
  const step = ms < 10_000 ? 1_000 : ms < 60_000 ? 5_000 : ms < 3_600_000 ? 60_000 : ms < 86_400_000 ? 900_000 : 3_600_000;
  return Math.max(step, Math.round(ms / step) * step);
}
