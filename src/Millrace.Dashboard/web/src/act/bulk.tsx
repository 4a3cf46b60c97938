import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, post } from "../api/client.ts";
import type { BulkAction, Preview } from "../api/types.ts";
import { glance } from "../pure/json.ts";
import { capped, count } from "../pure/number.ts";
import { explain, follow } from "../state/toasts.ts";
import { close, Dialog, DialogForm, show } from "../ui/Dialog.tsx";
import { Reason, TextField } from "../ui/Fields.tsx";
import { StateMark, Text } from "../ui/Words.tsx";
import type { State } from "../api/types.ts";
import { t } from "../text.ts";
import { isPriority } from "./single.tsx";

/** Which jobs are meant: those of a filter, or these. */
export type Which = { q: string } | { ids: string[] };

/** Changes many jobs: first shows what it would touch, then does exactly that. */
export function actOnMany(action: BulkAction, which: Which, onBegun?: () => void): void {
  show(() => <BulkDialog action={action} which={which} onBegun={onBegun} />);
}

const longestCountInMs = 5_000;

function needsNumber(action: BulkAction, n: number): boolean {
  return n > 1000 || (action === "delete" && n > 25);
}

function BulkDialog({ action, which, onBegun }: { action: BulkAction; which: Which; onBegun?: () => void }) {
  const [preview, setPreview] = useState<Preview>();
  const [problem, setProblem] = useState<string>();
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [priority, setPriority] = useState("0");
  const [isBusy, setBusy] = useState(false);
  const [asked, setAsked] = useState(false);
  const isHere = useRef(true);
  useEffect(() => () => { isHere.current = false; }, []);

  const load = async () => {
    try {
      const began = Date.now();
      let seen = await post<Preview>("operations/preview", { ...which, action, ...(action === "reprioritise" ? { priority: Number(priority) } : {}) });
      // A long count comes in pieces, so that no request takes long. What is too long to wait for stays "more than".
      while (seen.isCounting && isHere.current && Date.now() - began < longestCountInMs) {
        setPreview(seen);
        const more = await post<Preview>("operations/preview", { token: seen.token });
        seen = { ...more, samples: seen.samples.length > 0 ? seen.samples : more.samples };
      }
      if (isHere.current) setPreview({ ...seen, isCounting: false });
    } catch (error) {
      setProblem(explain(error));
    }
  };
  useEffect(() => { if (action !== "reprioritise") void load(); }, []);

  const confirm = async () => {
    if (!preview) { await load(); return; }
    setBusy(true);
    try {
      const { id } = await post<{ id: string }>("operations", { token: preview.token, reason: reason.trim() || undefined, confirm: typed ? Number(typed) : undefined });
      close();
      onBegun?.();
      await follow(id);
    } catch (error) {
      const code = error instanceof ApiError ? error.problem.code : "";
      if (code === "confirmation_needed") setAsked(true);
      else if (code === "preview_unknown") { setProblem(t.act.expired); setPreview(undefined); await load(); }
      else setProblem(explain(error));
      setBusy(false);
    }
  };

  const n = preview?.count ?? 0;
  const mustType = preview !== undefined && (asked || needsNumber(action, n));
  const isReady = preview ? n > 0 && !preview.isCounting && (!mustType || typed.replace(/[\s,.]/g, "") === String(n)) : action === "reprioritise" && isPriority(priority);
  const title = preview ? t.act.bulk(action, t.act.jobs(preview.isCapped ? `${count(n)}+` : count(n))) : t.actions[action];
  return (
    <Dialog title={title} onClose={close} class="wide">
      <DialogForm confirm={preview ? t.actions[action] : t.jobs.preview} kind={action === "delete" || action === "cancel" ? "danger" : "primary"} isBusy={isBusy} isDisabled={!isReady} onClose={close} onConfirm={() => void confirm()}>
        {problem && <p class="note error" role="alert">{problem}</p>}
        {action === "reprioritise" && !preview && <TextField label={t.act.priority} hint={t.act.priorityHint} value={priority} onInput={setPriority} mode="numeric" isFirst />}
        {!preview && !problem && action !== "reprioritise" && <p class="muted" role="status">{t.act.previewing}</p>}
        {preview && <PreviewView action={action} preview={preview} />}
        {preview && n > 0 && <Reason value={reason} onInput={setReason} isFirst={!mustType} />}
        {mustType && <TextField label={t.act.typeNumber(n)} value={typed} onInput={setTyped} mode="numeric" isMono isFirst />}
      </DialogForm>
    </Dialog>
  );
}

function PreviewView({ action, preview }: { action: BulkAction; preview: Preview }) {
  if (preview.count === 0) return <><p>{t.act.nothing}</p>{preview.skipped > 0 && <p class="muted">{t.act.skipped(preview.skipped)}</p>}</>;
  return (
    <>
      <div class="breakdown">
        <Breakdown name={t.act.byState} counts={preview.byState} isState />
        <Breakdown name={t.act.byType} counts={preview.byType} />
        <Breakdown name={t.act.byQueue} counts={preview.byQueue} />
      </div>
      {preview.skipped > 0 && <p>{t.act.skipped(preview.skipped)}</p>}
      <p class="muted">{preview.isCounting ? `${t.act.previewing} ` : preview.isCapped && `${t.act.capped} `}{t.act.frozen} {t.act.undoable[action]}</p>
      {preview.samples.length > 0 && (
        <div class="samples">
          <h3>{t.act.samples}</h3>
          <ul>{preview.samples.map(row => <li key={row.id}><StateMark state={row.state} /> <Text value={row.type} class="strong" /> <span class="mono muted">{row.id}</span> <Text value={glance(row.data, 80)} class="muted" /></li>)}</ul>
        </div>
      )}
    </>
  );
}

function Breakdown({ name, counts, isState }: { name: string; counts: Record<string, number>; isState?: boolean }) {
  const all = Object.entries(counts).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  return (
    <div>
      <h3>{name}</h3>
      <ul>{all.map(([word, n]) => <li key={word}>{isState ? <StateMark state={word as State} /> : <Text value={word} />}<span class="number">{capped(n, undefined)}</span></li>)}</ul>
    </div>
  );
}
