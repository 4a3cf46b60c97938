/** Where absolute times are shown: the zone the browser runs in, or UTC. */
export type Zone = "local" | "utc";

const second = 1_000, minute = 60_000, hour = 3_600_000, day = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: Zone, kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + kind;
  let found = formats.get(key);
  if (!found) formats.set(key, found = new Intl.DateTimeFormat(undefined, { ...options, hourCycle: "h23", timeZone: zone === "utc" ? "UTC" : undefined }));
  return found;
}

function parts(at: Date, zone: Zone): Record<string, string> {
  const all = format(zone, "parts", { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" }).formatToParts(at);
  return Object.fromEntries(all.map(p => [p.type, p.value]));
}

/** 14:03:09 today, 24 Nov 14:03 this year, 2024-11-24 14:03 before. Short, and never ambiguous. */
export function absolute(iso: string, zone: Zone, now: number): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const p = parts(at, zone), today = parts(new Date(now), zone);
  if (p.year !== today.year) return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}`;
  if (p.month === today.month && p.day === today.day) return `${p.hour}:${p.minute}:${p.second}`;
  return `${format(zone, "day", { day: "numeric", month: "short" }).format(at)} ${p.hour}:${p.minute}`;
}

/** 14:03:09.123, for lines of a log. */
export function clock(iso: string, zone: Zone): string {
  const at = new Date(iso);
  const p = parts(at, zone);
  return `${p.hour}:${p.minute}:${p.second}.${String(at.getUTCMilliseconds()).padStart(3, "0")}`;
}

/** 2026-11-24T14:03:09.123Z, or with the browser's offset. What stands in titles and goes into the clipboard. */
export function isoIn(iso: string, zone: Zone): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  if (zone === "utc") return at.toISOString();
  const offset = -at.getTimezoneOffset();
  const shifted = new Date(at.getTime() + offset * minute).toISOString().slice(0, -1);
  const size = Math.abs(offset);
  return `${shifted}${offset < 0 ? "-" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** 12 ms, 1.4 s, 39 s, 12 min 40 s, 3 h 5 min, 4 d 2 h: two units at most. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "∞";
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 1) return ms === 0 ? "0 ms" : "<1 ms";
  if (ms < second - 0.5) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / second).toFixed(1).replace(".0", "")} s`;
  if (ms < 59_500) return `${Math.round(ms / second)} s`;
  const seconds = Math.round(ms / second);
  if (ms < hour - 500) return two(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(ms / minute);
  if (ms < day - 30_000) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(ms / hour);
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

function two(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 || big >= 30 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** One unit: 12m, 3h, 4d. For dense columns. */
export function brief(ms: number): string {
  const size = Math.abs(ms);
  if (size < second) return `${Math.round(size)}ms`;
  if (size < minute) return `${Math.floor(size / second)}s`;
  if (size < hour) return `${Math.floor(size / minute)}m`;
  if (size < 2 * day) return `${Math.floor(size / hour)}h`;
  return `${Math.floor(size / day)}d`;
}

/** "3m ago", "in 2h", "now". */
export function relative(iso: string, now: number): string {
  const difference = new Date(iso).getTime() - now;
  if (Number.isNaN(difference)) return iso;
  if (Math.abs(difference) < 1_500) return "now";
  return difference < 0 ? `${brief(difference)} ago` : `in ${brief(difference)}`;
}

/** Reads 90s, 10m, 1.5h, 2d; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)\s*$/.exec(text);
  if (!match) return undefined;
  const unit = { ms: 1, s: second, m: minute, min: minute, h: hour, d: day }[match[2] as "ms"];
  return Number(match[1]) * unit;
}

export const units = { second, minute, hour, day };
