import { zone } from "../state/settings.ts";
import { now } from "../api/live.ts";
import { absolute, brief, duration, isoIn, relative } from "../pure/time.ts";
import { pieces } from "../pure/visible.ts";
import type { State } from "../api/types.ts";
import { t } from "../text.ts";
import { Icon, type IconName } from "./Icon.tsx";

/** Text of a job: never markup, and nothing in it is hidden or turns its surroundings around. */
export function Text({ value, class: extra }: { value: string; class?: string }) {
  const all = pieces(value);
  return <span class={`text ${extra ?? ""}`}>{all.map((p, i) => p.isCode ? <span key={i} class="code-point">{p.text}</span> : p.text)}</span>;
}

/** A state: glyph and word, always both. */
export function StateMark({ state, title }: { state: State; title?: string }) {
  return <span class={`state s-${state}`} title={title ?? t.stateMeaning[state]}><Icon name={state} />{t.states[state] ?? state}</span>;
}

const outcomeState: Record<string, State> = {
  succeeded: "succeeded", failed: "retrying", snoozed: "scheduled", released: "ready", interrupted: "waiting", discarded: "failed", cancelled: "cancelled", replaced: "cancelled", superseded: "cancelled",
};

/** How an attempt ended, in the colour of the state it led to. */
export function OutcomeMark({ outcome }: { outcome: string }) {
  const state = outcomeState[outcome] ?? "cancelled";
  return <span class={`state s-${state}`}><Icon name={state as IconName} />{(t.outcomes as Record<string, string>)[outcome] ?? outcome}</span>;
}

export function stateOfOutcome(outcome: string | undefined): State {
  return outcomeState[outcome ?? ""] ?? "cancelled";
}

/** A moment as a clock time; the exact one on hover. */
export function At({ iso }: { iso: string }) {
  return <time dateTime={iso} title={title(iso)}>{absolute(iso, zone.value, now.value)}</time>;
}

/** A moment as a distance from now: "3m ago", "in 2h". */
export function Ago({ iso }: { iso: string }) {
  return <time dateTime={iso} title={title(iso)}>{relative(iso, now.value)}</time>;
}

/** How long since a moment, counting up. */
export function Since({ iso }: { iso: string }) {
  return <time dateTime={iso} title={title(iso)}>{duration(Math.max(0, Math.floor((now.value - Date.parse(iso)) / 1000) * 1000))}</time>;
}

/** The same in one unit. */
export function Age({ iso }: { iso: string }) {
  return <time dateTime={iso} title={title(iso)}>{brief(Math.max(0, now.value - Date.parse(iso)))}</time>;
}

function title(iso: string): string {
  return isoIn(iso, zone.value);
}

