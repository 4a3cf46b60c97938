import { useQuery } from "../../api/query.ts";
import { states, type JobCounts } from "../../api/types.ts";
import { statesIn, withState } from "../../pure/filter.ts";
import { capped, short } from "../../pure/number.ts";
import { link } from "../../router.ts";
import { noteCounts } from "../../state/me.ts";
import { t } from "../../text.ts";
import { Icon } from "../../ui/Icon.tsx";

/** Millions are told in short: the column stays narrow, and the exact number is one click away. */
function say(value: number, cap: number | undefined): string {
  return value >= 1_000_000 ? short(value) : capped(value, cap);
}

/** How many jobs there are in each state, whatever else the filter says, and the way to them. */
export function StateColumn({ q }: { q: string }) {
  const counts = useQuery<JobCounts>("jobs/counts", { everyMs: 900 }).data.value;
  if (counts) noteCounts(counts.counts);
  const chosen = statesIn(q);
  const isFinal = (state: string) => state === "succeeded" || state === "failed" || state === "cancelled";
  return (
    <nav class="state-column" aria-label={t.jobs.states}>
      <a href={link("jobs", { q: withState(q, undefined) })} aria-current={chosen.length === 0 ? "true" : undefined}><Icon name="jobs" /><span>{t.jobs.all}</span></a>
      {states.map(state => (
        <a key={state} href={link("jobs", { q: withState(q, state) })} aria-current={chosen.includes(state) ? "true" : undefined} class={`s-${state}`} title={`${t.stateMeaning[state]}${isFinal(state) ? ` (${t.jobs.last24h})` : ""}`}>
          <Icon name={state} /><span>{t.states[state]}</span>
          <span class="number">{counts ? say(counts.counts[state] ?? 0, isFinal(state) ? undefined : counts.cap) : ""}</span>
        </a>
      ))}
      <p class="muted">{t.states.succeeded}, {t.states.failed}, {t.states.cancelled}: {t.jobs.last24h}</p>
    </nav>
  );
}
