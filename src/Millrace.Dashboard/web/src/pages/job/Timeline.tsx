import { now } from "../../api/live.ts";
import type { Attempt, JobRow } from "../../api/types.ts";
import { timeline, type Segment } from "../../pure/timeline.ts";
import { duration } from "../../pure/time.ts";
import { t } from "../../text.ts";
import { Panel } from "../../ui/Parts.tsx";
import { At, Ago, OutcomeMark, Since, StateMark, stateOfOutcome, Text } from "../../ui/Words.tsx";

/** The life of a job as one line to scale, with long gaps folded, and the same as a list. */
export function Timeline({ row, attempts }: { row: JobRow; attempts: Attempt[] }) {
  const all = timeline(row, attempts, now.value);
  return (
    <Panel title={t.job.timeline} class="timeline">
      <div class="line" aria-hidden="true">
        {all.map((s, i) => <span key={i} class={`piece ${s.kind} ${s.isFolded ? "folded" : ""} ${s.isOpen ? "open" : ""} s-${colour(s)}`} style={{ flexGrow: s.weight }} title={`${say(s)} ${duration(s.to - s.from)}`} />)}
      </div>
      <ol class="steps">
        <li><span class="step-mark" /><span>{t.job.created}</span><span class="muted"><At iso={row.created} /></span></li>
        {all.map((s, i) => <Step key={i} segment={s} row={row} attempt={attempts.find(a => a.run === s.run)} />)}
        {isOver(row) && row.finished && <li><StateMark state={row.state} /><span class="muted"><At iso={row.finished} /></span></li>}
      </ol>
    </Panel>
  );
}

function Step({ segment, row, attempt }: { segment: Segment; row: JobRow; attempt?: Attempt }) {
  const length = duration(segment.to - segment.from);
  if (segment.kind !== "run") {
    const isAhead = segment.isOpen && segment.kind !== "wait";
    return <li class="gap"><span class="step-mark" /><span>{say(segment)}</span>{isAhead ? <span>{t.job.next} <Ago iso={row.due} /> <span class="muted"><At iso={row.due} /></span></span> : <span class="muted">{segment.isOpen ? <Since iso={new Date(segment.from).toISOString()} /> : length}</span>}</li>;
  }
  return (
    <li class="run">
      {segment.isOpen ? <StateMark state="running" /> : <OutcomeMark outcome={segment.outcome ?? ""} />}
      <span>{t.job.attempt(segment.attempt ?? 0)}{attempt && !attempt.isCharged && <span class="muted"> ({t.job.uncharged})</span>}</span>
      <span class="muted">{segment.isOpen && row.started ? <Since iso={row.started} /> : length}{attempt?.node && <> · <Text value={attempt.node.slice(0, 8)} class="mono" /></>}</span>
      {attempt?.error && <span class="step-error one-line"><Text value={attempt.error.split("\n", 1)[0] ?? ""} /></span>}
    </li>
  );
}

function say(segment: Segment): string {
  return segment.kind === "run" ? t.job.attempt(segment.attempt ?? 0) : t.job[segment.kind];
}

function colour(segment: Segment): string {
  if (segment.kind === "run") return segment.isOpen ? "running" : stateOfOutcome(segment.outcome);
  return segment.kind === "wait" ? "ready" : segment.kind === "delay" ? "scheduled" : "retrying";
}

function isOver(row: JobRow): boolean {
  return row.state === "succeeded" || row.state === "failed" || row.state === "cancelled";
}
