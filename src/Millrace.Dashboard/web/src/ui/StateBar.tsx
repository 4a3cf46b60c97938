import type { Queue, State } from "../api/types.ts";
import { count } from "../pure/number.ts";
import { t } from "../text.ts";

/** What a queue holds, as one bar: running first. The share is of its square root, so a few beside many are seen. */
export function StateBar({ queue }: { queue: Queue }) {
  const parts: [State, number][] = [["running", queue.running], ["ready", queue.ready], ["scheduled", queue.scheduled], ["waiting", queue.waiting]];
  const there = parts.filter(([, n]) => n > 0);
  const label = there.length === 0 ? t.overview.none : there.map(([s, n]) => `${t.states[s]} ${count(n)}`).join(", ");
  return (
    <span class="state-bar" role="img" aria-label={label} title={label}>
      {there.map(([state, n]) => <span key={state} class={`s-${state}`} style={{ flexGrow: Math.sqrt(n) }} />)}
    </span>
  );
}
