import type { Queue } from "../api/types.ts";
import { t } from "../text.ts";
import { rate } from "./number.ts";
import { duration } from "./time.ts";

export interface Drain {
  kind: "empty" | "empties" | "grows" | "never" | "paused" | "stands";
  text: string;
}

/** What becomes of a queue, in words. Nobody works on it: never. The server judges whether it empties or grows. */
export function drain(queue: Queue): Drain {
  const say = t.queues.drain;
  if (queue.pause) return { kind: "paused", text: say.paused };
  if (queue.ready === 0) return { kind: "empty", text: say.empty };
  if (queue.nodes === 0) return { kind: "never", text: say.never };
  if (queue.emptyInMs !== undefined) return { kind: "empties", text: say.empties(duration(roughly(queue.emptyInMs))) };
  if (queue.growsPerMinute !== undefined) return { kind: "grows", text: say.grows(rate(queue.growsPerMinute)) };
  // What stands in line is done within a minute.
  if (queue.endsPerMinute > 0) return { kind: "stands", text: queue.ready <= queue.endsPerMinute ? say.keepsUp : say.level };
  return { kind: "stands", text: say.unknown };
}

/** An estimate with the precision it deserves: 847 s becomes 14 min. */
export function roughly(ms: number): number {
  const step = ms < 10_000 ? 1_000 : ms < 60_000 ? 5_000 : ms < 3_600_000 ? 60_000 : ms < 86_400_000 ? 900_000 : 3_600_000;
  return Math.max(step, Math.round(ms / step) * step);
}
