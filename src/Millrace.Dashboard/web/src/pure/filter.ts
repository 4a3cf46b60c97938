import type { FilterWords } from "../api/types.ts";

/** The term of a filter that stands around a position, with its parts. Quotes hold spaces together. */
export interface TermAt {
  start: number;
  end: number;
  isNot: boolean;
  field?: string;
  operator?: string;
  value: string;
  valueStart: number;
}

export interface Completion {
  /** What the list shows. */
  label: string;
  hint: string;
  /** What replaces the text from `start` to `end`. */
  insert: string;
  start: number;
  end: number;
}

const operators = [">=", "<=", ":", "~", ">", "<"];
const timeHints = ["-15m", "-1h", "-6h", "-24h", "-7d"];

/** Cuts a filter into terms at spaces outside quotes. */
export function terms(text: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let start = -1;
  let isQuoted = false;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    const isEnd = c === undefined || (c === " " && !isQuoted);
    if (isEnd) {
      if (start >= 0) found.push({ start, end: i });
      start = -1;
      continue;
    }
    if (start < 0) start = i;
    if (c === "\\" && isQuoted) i++;
    else if (c === '"') isQuoted = !isQuoted;
  }
  return found;
}

/** Finds the term that the cursor touches; an empty one where it stands in white space. */
export function termAt(text: string, cursor: number): TermAt {
  const span = terms(text).find(t => cursor > t.start - 1 && cursor <= t.end) ?? { start: cursor, end: cursor };
  const whole = text.slice(span.start, span.end);
  const isNot = whole.startsWith("-");
  const from = isNot ? 1 : 0;
  const match = /^([A-Za-z_][\w.]*)(>=|<=|:|~|>|<)/.exec(whole.slice(from));
  if (!match) return { ...span, isNot, value: whole.slice(from), valueStart: span.start + from };
  const valueStart = span.start + from + match[0].length;
  // Only what follows the last comma is being typed: state:ready,run|
  const comma = text.slice(valueStart, Math.min(cursor, span.end)).lastIndexOf(",") + 1;
  return { ...span, isNot, field: match[1], operator: match[2], value: text.slice(valueStart + comma, span.end), valueStart: valueStart + comma };
}

/** A value as the language wants it: quoted when it holds a space, a quote or a comma. */
export function quote(value: string): string {
  return /^[^\s",\\]+$/.test(value) ? value : `"${value.replace(/[\\"]/g, c => `\\${c}`)}"`;
}

/** `field:value`, ready to be put into a link. */
export function term(field: string, value: string): string {
  return `${field}:${quote(value)}`;
}

/** What could be meant at the cursor, best first, at most `limit`. */
export function complete(text: string, cursor: number, words: FilterWords | undefined, limit = 12): Completion[] {
  if (!words) return [];
  const at = termAt(text, cursor);
  return (at.field === undefined ? completeField(at, words) : completeValue(at, words)).slice(0, limit);
}

function completeField(at: TermAt, words: FilterWords): Completion[] {
  const start = at.start + (at.isNot ? 1 : 0);
  const fields = words.fields
    .filter(f => f.name.startsWith(at.value.toLowerCase()))
    .map(f => {
      const name = f.kind === "data" && !f.name.endsWith(".") ? `${f.name}.` : f.name;
      const operator = f.kind === "data" ? "" : f.kind === "time" ? ">" : ":";
      return { label: name + operator, hint: f.hint, insert: name + operator, start, end: at.end };
    });
  // A bare word may be the beginning of a state, a type or a queue: say so in full.
  const values: Completion[] = at.value.length < 2 ? [] : [
    ...words.states.map(s => ["state", s] as const),
    ...words.types.map(t => ["type", t] as const),
    ...words.queues.map(q => ["queue", q] as const),
  ]
    .filter(([, value]) => value.toLowerCase().includes(at.value.toLowerCase()))
    .map(([field, value]) => ({ label: term(field, value), hint: "", insert: `${term(field, value)} `, start, end: at.end }));
  return [...fields, ...values];
}

function completeValue(at: TermAt, words: FilterWords): Completion[] {
  const typed = at.value.replace(/^"/, "").toLowerCase();
  return valuesOf(at.field ?? "", words)
    .filter(value => value.toLowerCase().includes(typed) && value.toLowerCase() !== typed)
    .sort((a, b) => Number(b.toLowerCase().startsWith(typed)) - Number(a.toLowerCase().startsWith(typed)))
    .map(value => ({ label: value, hint: "", insert: `${quote(value)} `, start: at.valueStart, end: at.end }));
}

function valuesOf(field: string, words: FilterWords): string[] {
  switch (field) {
    case "state": return words.states;
    case "type": return words.types;
    case "queue": return words.queues;
    case "schedule": return words.schedules;
    case "worker": return words.workers;
    case "outcome": return ["succeeded", "failed", "snoozed", "released", "interrupted", "discarded", "cancelled", "replaced", "superseded"];
    default: return words.fields.some(f => f.name === field && f.kind === "time") ? timeHints : [];
  }
}

/** Puts a completion into the text, and says where the cursor stands then. */
export function accept(text: string, completion: Completion): { text: string; cursor: number } {
  const after = text.slice(completion.end);
  const insert = after.startsWith(" ") ? completion.insert.trimEnd() : completion.insert;
  const whole = text.slice(0, completion.start) + insert + after;
  return { text: whole, cursor: completion.start + insert.length + (insert !== completion.insert ? 1 : 0) };
}

/** The states a filter names, or none when it names none. */
export function statesIn(text: string): string[] {
  const found = text.match(/(?:^|\s)state:(\S+)/);
  return found?.[1]?.split(",") ?? [];
}

/** The same filter with another state, or without one. */
export function withState(text: string, state: string | undefined): string {
  const rest = terms(text).map(t => text.slice(t.start, t.end)).filter(t => !/^state:/.test(t));
  return (state ? [`state:${state}`, ...rest] : rest).join(" ");
}

/** The same filter with one more term, once. */
export function withTerm(text: string, added: string): string {
  const all = terms(text).map(t => text.slice(t.start, t.end));
  return all.includes(added) ? text : [...all, added].join(" ");
}

export { operators };
