import type { Ahead } from "../api/types.ts";

type Slot = Ahead["slots"][number];

export interface AheadCell {
  at: string;
  slot?: Slot;
  /** From 0, nothing, to 4, as much as ever in this day. */
  level: number;
}

/** Hours from the left to the right, each of its slots from the top down; undefined for what is over, or lies beyond the day. */
export function cells(ahead: Ahead): { columns: (AheadCell | undefined)[][]; hours: string[] } {
  const step = ahead.stepSeconds * 1000, hour = 3_600_000;
  const from = Date.parse(ahead.from), to = Date.parse(ahead.to);
  const known = new Map(ahead.slots.map(slot => [Date.parse(slot.at), slot]));
  // One job at a time is never much.
  const most = Math.max(5, ...ahead.slots.map(slot => slot.ticks));
  const columns: (AheadCell | undefined)[][] = [], hours: string[] = [];
  for (let start = Math.floor(from / hour) * hour; start < to; start += hour) {
    hours.push(new Date(start).toISOString());
    columns.push(Array.from({ length: hour / step }, (_, i) => {
      const at = start + i * step, slot = known.get(at);
      return at < from || at >= to ? undefined : { at: new Date(at).toISOString(), slot, level: slot ? Math.max(1, Math.ceil((4 * Math.log1p(slot.ticks)) / Math.log1p(most))) : 0 };
    }));
  }
  return { columns, hours };
}

/** Where several schedules are due together: the most crowded first. */
export function crowded(ahead: Ahead, most = 5): Slot[] {
  const size = (slot: Slot) => slot.schedules.length + slot.more;
  return ahead.slots.filter(slot => size(slot) > 1).sort((a, b) => size(b) - size(a) || b.ticks - a.ticks || a.at.localeCompare(b.at)).slice(0, most);
}
