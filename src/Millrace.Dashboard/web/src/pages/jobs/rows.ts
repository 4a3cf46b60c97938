import type { JobList, JobRow } from "../../api/types.ts";

/** What the list shows, and what has come meanwhile and waits for a good moment. */
export interface Shown {
  rows: JobRow[];
  fresh: JobRow[];
  /** Rows that stay where they are although they no longer match: the list stands still. */
  gone: ReadonlySet<string>;
  next?: string;
  /** Whether the search that had stopped on its way was gone on with, to its end. */
  isWhole?: boolean;
}

export const nothing: Shown = { rows: [], fresh: [], gone: new Set() };

/**
 * Puts a new answer into the list. Rows that are shown change in place. While the list stands still (something is selected, a
 * dialog is open, the reader has scrolled) new rows gather beside it and none leaves; otherwise the list becomes the answer.
 * Rows further down than the answer reaches stay as they are, and so does how far a search has been gone on with.
 */
export function merge(shown: Shown, answer: JobList, isStill: boolean): Shown {
  const latest = new Map(answer.jobs.map(row => [row.id, row]));
  const old = new Set(shown.rows.map(row => row.id));
  const isFurther = answer.isPartial && answer.next !== undefined && (shown.isWhole === true || (shown.next !== undefined && BigInt(shown.next) < BigInt(answer.next)));
  const below = isFurther ? shown.rows.filter(row => BigInt(row.id) < BigInt(answer.next ?? 0)) : answer.next === undefined ? [] : shown.rows.slice(answer.jobs.length);
  const tail = below.filter(row => !latest.has(row.id));
  const next = isFurther || tail.length > 0 ? shown.next : answer.next;
  const isWhole = isFurther && shown.isWhole;
  if (!isStill || shown.rows.length === 0) return { rows: [...answer.jobs, ...tail], fresh: [], gone: new Set(), next, isWhole };
  const reach = answer.next === undefined ? shown.rows.length : Math.max(answer.jobs.length, 0);
  const gone = new Set(shown.rows.filter((row, i) => !latest.has(row.id) && (shown.gone.has(row.id) || i < reach)).map(row => row.id));
  return { rows: shown.rows.map(row => latest.get(row.id) ?? row), fresh: answer.jobs.filter(row => !old.has(row.id)), gone, next, isWhole };
}

/** Adds a further page at the end. */
export function append(shown: Shown, answer: JobList): Shown {
  const old = new Set(shown.rows.map(row => row.id));
  return { ...shown, rows: [...shown.rows, ...answer.jobs.filter(row => !old.has(row.id))], next: answer.next, isWhole: answer.next === undefined };
}

/** The ids between two rows, both included, in the order of the list. */
export function between(rows: JobRow[], one: string, other: string): string[] {
  const a = rows.findIndex(row => row.id === one), b = rows.findIndex(row => row.id === other);
  if (a < 0 || b < 0) return [other];
  return rows.slice(Math.min(a, b), Math.max(a, b) + 1).map(row => row.id);
}
