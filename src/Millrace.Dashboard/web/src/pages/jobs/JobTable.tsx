import { memo } from "../../ui/memo.ts";
import { now } from "../../api/live.ts";
import type { JobRow } from "../../api/types.ts";
import { glance } from "../../pure/json.ts";
import { duration } from "../../pure/time.ts";
import { path } from "../../router.ts";
import { t } from "../../text.ts";
import { visible } from "../../pure/visible.ts";
import { Ago, Since, StateMark, Text } from "../../ui/Words.tsx";

interface Choosing {
  selected: ReadonlySet<string>;
  isAll: boolean;
  onSelect: (id: string, isRange: boolean) => void;
  onSelectAll: (isOn: boolean) => void;
}

interface TableProps {
  rows: JobRow[];
  name: string;
  gone?: ReadonlySet<string>;
  current?: string;
  onCurrent?: (id: string) => void;
  choosing?: Choosing;
}

/** Jobs as a table, here and on every page that shows some. */
export function JobTable({ rows, name, gone, current, onCurrent, choosing }: TableProps) {
  const isEvery = rows.length > 0 && (choosing?.isAll || rows.every(row => choosing?.selected.has(row.id)));
  return (
    <table class="jobs-table">
      <caption class="visually-hidden">{name}</caption>
      <thead>
        <tr>
          {choosing && <th class="tick"><input type="checkbox" aria-label={t.jobs.selectAll} checked={isEvery} onChange={event => choosing.onSelectAll(event.currentTarget.checked)} /></th>}
          <th scope="col" class="c-state">{t.jobs.state}</th>
          <th scope="col" class="c-job">{t.jobs.job}</th>
          <th scope="col" class="c-data">{t.jobs.data}</th>
          <th scope="col" class="c-queue">{t.jobs.queue}</th>
          <th scope="col" class="c-try number">{t.jobs.attempt}</th>
          <th scope="col" class="c-when number">{t.jobs.when}</th>
          <th scope="col" class="c-took number">{t.jobs.took}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(row => (
          <Row
            key={row.id} row={row} isGone={gone?.has(row.id) ?? false} isCurrent={row.id === current} onCurrent={onCurrent}
            isSelected={choosing ? choosing.isAll || choosing.selected.has(row.id) : undefined} onSelect={choosing?.onSelect}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  row: JobRow;
  isGone: boolean;
  isCurrent: boolean;
  isSelected?: boolean;
  onCurrent?: (id: string) => void;
  onSelect?: (id: string, isRange: boolean) => void;
}

const Row = memo(function Row({ row, isGone, isCurrent, isSelected, onCurrent, onSelect }: RowProps) {
  const tick = (event: MouseEvent) => {
    event.stopPropagation();
    onSelect?.(row.id, event.shiftKey);
  };
  const data = row.error && (row.state === "failed" || row.state === "retrying" || row.state === "quarantined") ? firstLine(row.error) : glance(row.data);
  return (
    <tr
      data-id={row.id} data-state={row.state} class={`${isCurrent ? "current" : ""} ${isSelected ? "selected" : ""} ${isGone ? "gone" : ""}`}
      onClick={event => { if (onCurrent && !(event.target as Element).closest("a, button, input")) onCurrent(row.id); }}
    >
      {isSelected !== undefined && <td class="tick"><input type="checkbox" aria-label={t.jobs.selectOne(row.id)} checked={isSelected} onClick={tick} readOnly /></td>}
      <td class="c-state"><StateMark state={row.state} title={isGone ? t.jobs.gone : undefined} />{row.state === "running" && row.progress !== undefined && <progress value={row.progress} max={100} aria-label={`${t.jobs.progress} ${row.id}`} />}</td>
      <td class="c-job"><a href={path("jobs", row.id)} class="job-link"><Text value={row.type} class="strong" /> <span class="id">{row.id}</span></a>{row.tag && <span class="tag" title={visible(row.tag)}><Text value={row.tag} /></span>}</td>
      <td class="c-data"><span class={`one-line ${data === undefined ? "" : row.error && row.state !== "succeeded" ? "error-text" : ""}`} title={visible(row.error ?? row.data).slice(0, 1000)}><Text value={data} /></span></td>
      <td class="c-queue"><Text value={row.queue} /></td>
      <td class="c-try number">{row.attempt}</td>
      <td class="c-when number"><When row={row} /></td>
      <td class="c-took number">{took(row)}</td>
    </tr>
  );
});

/** The time that matters in this state. */
export function When({ row }: { row: JobRow }) {
  switch (row.state) {
    case "running": return row.started ? <Since iso={row.started} /> : null;
    case "scheduled":
    case "retrying": return <Ago iso={row.due} />;
    case "ready": return <Ago iso={row.due > row.created ? row.due : row.created} />;
    case "waiting":
    case "quarantined": return <Ago iso={row.finished ?? row.created} />;
    default: return <Ago iso={row.finished ?? row.created} />;
  }
}

export function took(row: JobRow): string {
  if (!row.started) return "";
  if (row.state === "running") return duration(Math.max(0, now.peek() - Date.parse(row.started)));
  return row.finished && row.finished >= row.started ? duration(Date.parse(row.finished) - Date.parse(row.started)) : "";
}

export function firstLine(error: string): string {
  return error.split("\n", 1)[0] ?? "";
}
