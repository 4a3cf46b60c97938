import { useEffect, useRef, useState } from "preact/hooks";
import { millrace } from "../../pure/commands.ts";
import type { BulkAction, JobRow } from "../../api/types.ts";
import { act } from "../../act/single.tsx";
import { actOnMany } from "../../act/bulk.tsx";
import { go, goQuery, link, path, place } from "../../router.ts";
import { dialogs, useKeys } from "../../state/keys.ts";
import { may } from "../../state/me.ts";
import { t } from "../../text.ts";
import { FilterBox } from "../../ui/FilterBox.tsx";
import { Page } from "../../ui/Page.tsx";
import { Button, Empty, ProblemNote } from "../../ui/Parts.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { actionIcons } from "./icons.ts";
import { JobTable } from "./JobTable.tsx";
import { between } from "./rows.ts";
import { StateColumn } from "./StateColumn.tsx";
import { Preview } from "./Preview.tsx";
import { useJobs } from "./useJobs.ts";
import { openViews } from "./Views.tsx";

const bulkActions: BulkAction[] = ["retry", "run-now", "reprioritise", "cancel", "delete"];

export function Jobs() {
  const q = place.value.query.get("q") ?? "";
  return <JobsOf q={q} />;
}

function JobsOf({ q }: { q: string }) {
  const list = useRef<HTMLDivElement>(null);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [isAll, setAll] = useState(false);
  const anchor = useRef<string>();
  const [current, setCurrent] = useState<string | undefined>(undefined);
  const isOpen = place.value.query.get("pane") === "1";
  const chosen = useRef({ n: 0 });
  chosen.current.n = isAll ? Infinity : selected.size;
  const isStill = () => chosen.current.n > 0 || dialogs.peek() > 0 || scrollY > 160;
  const jobs = useJobs(q, isStill);
  const { rows, fresh, gone, next } = jobs.shown.value;
  const last = useRef<JobRow>();
  const row = rows.find(r => r.id === current);
  if (row) last.current = row;
  // In a list that moves fast, the job that is looked at may have left it: it is still looked at.
  const previewed = row ?? (last.current?.id === current ? last.current : undefined);

  const clear = () => { setSelected(new Set()); setAll(false); };
  const select = (id: string, isRange: boolean) => {
    setAll(false);
    const with_ = new Set(isAll ? rows.map(r => r.id) : selected);
    if (isRange && anchor.current) for (const one of between(rows, anchor.current, id)) with_.add(one);
    else if (with_.has(id)) with_.delete(id);
    else with_.add(id);
    anchor.current = id;
    setSelected(with_);
  };
  const open = (id: string | undefined, isPreviewed: boolean) => {
    setCurrent(id);
    if (isPreviewed !== isOpen) goQuery({ pane: isPreviewed ? "1" : undefined });
  };
  const move = (step: number) => {
    const at = rows.findIndex(r => r.id === current);
    const to = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
    if (!to) return;
    setCurrent(to.id);
    list.current?.querySelector<HTMLElement>(`tr[data-id="${CSS.escape(to.id)}"] a.job-link`)?.focus();
  };
  const onRow = (then: (row: JobRow) => void) => () => { if (row) then(row); };
  const isChoosing = selected.size > 0 || isAll;
  const mayOperate = may("operate");

  useKeys({
    j: () => move(1), k: () => move(-1), ArrowDown: isOpen ? () => move(1) : undefined, ArrowUp: isOpen ? () => move(-1) : undefined,
    Space: () => { if (row) open(row.id, !isOpen); else move(1); },
    x: mayOperate ? onRow(r => select(r.id, false)) : undefined,
    X: mayOperate ? onRow(r => select(r.id, true)) : undefined,
    r: mayOperate ? () => { if (isChoosing) many("retry"); else if (row) act("retry", row); } : undefined,
    c: mayOperate ? () => { if (isChoosing) many("cancel"); else if (row) act("cancel", row); } : undefined,
    e: onRow(r => go(`${path("jobs", r.id)}?explain=1`)),
    v: () => openViews(q),
    Enter: onRow(r => go(path("jobs", r.id))),
    Escape: isChoosing ? clear : isOpen ? () => open(current, false) : undefined,
  });

  // Another filter is another list: what was selected in the old one must not be changed by accident.
  useEffect(() => { clear(); setCurrent(undefined); }, [q]);

  // A preview that was linked to, or opened before the list had come, starts with the first job.
  useEffect(() => { if (isOpen && !previewed && rows[0]) setCurrent(rows[0].id); }, [isOpen, rows.length > 0]);

  const many = (action: BulkAction) => actOnMany(action, isAll ? { q } : { ids: [...selected] }, clear);
  const error = jobs.error.value;
  return (
    <Page title={t.pages.jobs} aside={<Button kind="quiet" icon="star" onClick={() => openViews(q)}>{t.views.open}</Button>} api={`${jobs.address}`} cli={q ? millrace("list", q) : millrace("list")} files={[[t.copy.csv, link("jobs/export", { q, format: "csv" })], [t.copy.ndjson, link("jobs/export", { q, format: "ndjson" })]]} class={`jobs-page ${isOpen ? "with-pane" : ""}`}>
      <div class="jobs-layout">
        <StateColumn q={q} />
        <div class="jobs-main">
          <FilterBox value={q} onChange={value => goQuery({ q: value || undefined })} />
          {jobs.isPartial.value && <p class="note"><Icon name="notice" />{t.jobs.partial}</p>}
          {error && !error.isOutage && <ProblemNote error={error} />}
          {fresh.length > 0 && <button type="button" class="pill" onClick={() => { clear(); jobs.takeFresh(); scrollTo({ top: 0 }); }}>{t.jobs.newJobs(fresh.length)}</button>}
          <div ref={list} class={`list ${jobs.isLoading.value ? "loading" : ""}`}>
            {rows.length > 0 && (
              <JobTable rows={rows} name={t.jobs.list} gone={gone} current={current} onCurrent={id => open(id, innerWidth >= 900)}
                choosing={mayOperate ? { selected, isAll, onSelect: select, onSelectAll: isOn => { setAll(false); setSelected(isOn ? new Set(rows.map(r => r.id)) : new Set()); } } : undefined} />
            )}
            {rows.length === 0 && !jobs.isLoading.value && !error && <Empty text={t.jobs.none} hint={q ? t.jobs.noneHint : t.overview.howFirst} />}
            {rows.length === 0 && jobs.isLoading.value && <div class="empty muted" role="status">{t.shell.loading}…</div>}
          </div>
          {next && <div class="more"><Button onClick={() => void jobs.more()} isBusy={jobs.isMoreLoading.value}>{t.jobs.more}</Button></div>}
        </div>
        {isOpen && <Preview row={previewed} onClose={() => open(current, false)} />}
      </div>
      {isChoosing && (
        <div class="bulk-bar" role="region" aria-label={t.jobs.select}>
          <span class="bulk-count" aria-live="polite">{isAll ? t.jobs.allMatching : t.jobs.selected(selected.size)}</span>
          {!isAll && (next !== undefined || selected.size < rows.length) && <Button kind="quiet" onClick={() => setAll(true)}>{t.jobs.chooseAll}</Button>}
          <Button kind="quiet" onClick={clear}>{t.jobs.clearSelection}</Button>
          <span class="spring" />
          {bulkActions.filter(action => action !== "delete" || may("administer")).map(action => <Button key={action} icon={actionIcons[action]} kind={action === "delete" ? "danger" : "plain"} onClick={() => many(action)}>{t.actions[action]}</Button>)}
        </div>
      )}
    </Page>
  );
}

