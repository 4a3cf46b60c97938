import { useState } from "preact/hooks";
import { ApiError, get, post } from "../api/client.ts";
import { beat } from "../api/live.ts";
import { refreshAll } from "../api/query.ts";
import type { BulkAction, ChangeAnswer, JobDetail, JobRow, Operation } from "../api/types.ts";
import { close, Dialog, DialogForm, show } from "../ui/Dialog.tsx";
import { Reason, TextField } from "../ui/Fields.tsx";
import { complain, toast } from "../state/toasts.ts";
import { path } from "../router.ts";
import { t } from "../text.ts";

interface Change {
  reason?: string;
  priority?: number;
}

/** A change of one job that the user sees. What changes its course for good, or cannot be taken back, asks first. */
export function act(action: BulkAction, row: JobRow, version?: string): void {
  if (action === "retry" || action === "run-now") { void send(action, row, version, {}); return; }
  show(() => action === "reprioritise" ? <PriorityDialog row={row} version={version} /> : <AskDialog action={action} row={row} version={version} />);
}

function AskDialog({ action, row, version }: { action: "cancel" | "delete"; row: JobRow; version?: string }) {
  const [reason, setReason] = useState("");
  const texts = action === "cancel" ? [t.act.cancelJob(row.id), t.act.cancelJobMore] as const : [t.act.deleteJob(row.id), t.act.deleteJobMore] as const;
  return (
    <Dialog title={texts[0]} onClose={close}>
      <DialogForm confirm={t.actions[action]} kind="danger" onClose={close} onConfirm={() => { close(); void send(action, row, version, { reason }); }}>
        <p>{texts[1]}</p>
        <Reason value={reason} onInput={setReason} isFirst />
      </DialogForm>
    </Dialog>
  );
}

function PriorityDialog({ row, version }: { row: JobRow; version?: string }) {
  const [priority, setPriority] = useState(String(row.priority));
  const [reason, setReason] = useState("");
  const isNumber = isPriority(priority);
  return (
    <Dialog title={t.act.priorityJob(row.id)} onClose={close}>
      <DialogForm confirm={t.act.confirm} isDisabled={!isNumber} onClose={close} onConfirm={() => { close(); void send("reprioritise", row, version, { reason, priority: Number(priority) }); }}>
        <TextField label={t.act.priority} hint={t.act.priorityHint} value={priority} onInput={setPriority} mode="numeric" isFirst />
        <Reason value={reason} onInput={setReason} />
      </DialogForm>
    </Dialog>
  );
}

export function isPriority(text: string): boolean {
  return /^-?\d{1,5}$/.test(text.trim()) && Math.abs(Number(text)) <= 32767;
}

async function send(action: BulkAction, row: JobRow, version: string | undefined, change: Change): Promise<void> {
  try {
    const seen = version ?? await versionOf(row);
    const answer = await post<ChangeAnswer>(`${path("jobs", row.id)}/${action}`, { ...change, reason: change.reason?.trim() || undefined }, seen);
    if (answer.result === "done") {
      // A list tells of it as a link; the undo comes with the operation.
      if (answer.operation) await announce(t.act.jobDone(row.id, t.act.one[action]), answer.operation);
      else toast(t.act.jobDone(row.id, t.act.one[action]));
    } else toast(t.act.results[answer.result], { kind: answer.result === "asked" ? "done" : "problem" });
    beat();
    refreshAll();
  } catch (error) {
    if (error instanceof ApiError && error.problem.code === "job_moved") sayMoved(error.problem.state);
    else complain(error);
    refreshAll();
  }
}

/** A list does not know versions: the job's is good as long as the job is still where the list shows it. */
async function versionOf(row: JobRow): Promise<string | undefined> {
  const { value } = await get<JobDetail>(path("jobs", row.id));
  if (value && (value.row.state !== row.state || value.row.run !== row.run)) {
    throw new ApiError({ status: 412, code: "job_moved", title: t.job.moved, state: value.row.state });
  }
  return value?.version;
}

function sayMoved(state: string | undefined): void {
  const isFinished = state === "succeeded" || state === "failed" || state === "cancelled";
  toast(`${isFinished ? t.job.finishedMeanwhile : t.job.moved}. ${t.job.movedMore(state ?? "gone")}`, { kind: "problem" });
}

async function announce(text: string, operationId: string): Promise<void> {
  const { value } = await get<Operation>(`operations/${operationId}`).catch(() => ({ value: undefined }));
  toast(text, value ? { operation: { ...value, ended: value.ended ?? value.at } } : {});
}
