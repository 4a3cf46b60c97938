import type { Operation } from "../api/types.ts";
import { count } from "../pure/number.ts";
import { path } from "../router.ts";
import { t } from "../text.ts";
import { JsonView } from "../ui/JsonTree.tsx";
import { UndoButton } from "../ui/Toasts.tsx";
import { At, Ago, Text } from "../ui/Words.tsx";

/** What people did, latest first: here for all, and on the page of a job for one. */
export function Operations({ operations, name }: { operations: Operation[]; name: string }) {
  return (
    <table class="operations">
      <caption class="visually-hidden">{name}</caption>
      <thead>
        <tr>
          <th scope="col">{t.activity.at}</th>
          <th scope="col">{t.activity.who}</th>
          <th scope="col">{t.activity.what}</th>
          <th scope="col" class="number c2">{t.activity.result}</th>
          <th scope="col" class="c2">{t.activity.reason}</th>
          <th scope="col"><span class="visually-hidden">{t.act.undo}</span></th>
        </tr>
      </thead>
      <tbody>{operations.map(o => <Row key={o.id} operation={o} />)}</tbody>
    </table>
  );
}

function Row({ operation: o }: { operation: Operation }) {
  return (
    <tr class="tall">
      <td><Ago iso={o.at} /><span class="sub"><At iso={o.at} /></span></td>
      <td><Text value={o.by} /><span class="sub">{t.activity.via(o.via)}</span></td>
      <td>
        <b>{t.kinds[o.kind] ?? o.kind}</b> {o.jobId ? <a href={path("jobs", o.jobId)}><Text value={o.target} /></a> : <Text value={o.target} />}
        {(o.before || o.after) && (
          <details><summary>{t.activity.details}</summary>
            {o.before && <><h2 class="small">{t.activity.before}</h2><JsonView text={o.before} name={t.activity.before} /></>}
            {o.after && <><h2 class="small">{t.activity.after}</h2><JsonView text={o.after} name={t.activity.after} /></>}
          </details>
        )}
        {o.error && <span class="sub error-text"><Text value={o.error} /></span>}
      </td>
      <td class="number c2">{o.expected > 0 || o.done > 0 ? <>{count(o.done)}{o.expected > o.done && <span class="muted"> / {count(o.expected)}</span>}</> : ""}{!o.ended && <span class="sub">{t.activity.running}</span>}</td>
      <td class="c2">{o.reason && <Text value={o.reason} />}</td>
      <td class="right">{o.undoneBy ? <span class="muted">{t.activity.undone}</span> : <UndoButton operation={o} />}</td>
    </tr>
  );
}
