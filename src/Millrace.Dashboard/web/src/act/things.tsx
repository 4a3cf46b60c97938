import { useState } from "preact/hooks";
import { post } from "../api/client.ts";
import { beat } from "../api/live.ts";
import { refreshAll } from "../api/query.ts";
import type { Queue, Schedule, Worker } from "../api/types.ts";
import { parseDuration } from "../pure/time.ts";
import { path } from "../router.ts";
import { complain, toast } from "../state/toasts.ts";
import { close, Dialog, DialogForm, show } from "../ui/Dialog.tsx";
import { Choice, Reason } from "../ui/Fields.tsx";
import { t } from "../text.ts";

// Changes of queues, schedules and workers: all say why, some say until when.

const skip = "skip";

interface AskProps {
  title: string;
  more: string;
  confirm: string;
  hasUntil?: boolean;
  /** When the next tick is: a pause that ends right after it skips it and nothing else. */
  nextTick?: string;
  onConfirm: (body: { reason?: string; until?: string }) => void;
}

function Ask({ title, more, confirm, hasUntil, nextTick, onConfirm }: AskProps) {
  const [reason, setReason] = useState("");
  const [until, setUntil] = useState("");
  const send = () => {
    const ms = until === "" ? undefined : parseDuration(until);
    const end = until === skip && nextTick ? Date.parse(nextTick) + 1_000 : ms === undefined ? undefined : Date.now() + ms;
    close();
    onConfirm({ reason: reason.trim() || undefined, until: end === undefined ? undefined : new Date(end).toISOString() });
  };
  const times = Object.entries(t.queues.untilSay);
  if (nextTick && Date.parse(nextTick) > Date.now()) times.splice(1, 0, [skip, t.schedules.skipNext]);
  return (
    <Dialog title={title} onClose={close}>
      <DialogForm confirm={confirm} onClose={close} onConfirm={send}>
        <p>{more}</p>
        <Reason value={reason} onInput={setReason} isFirst />
        {hasUntil && <Choice label={t.queues.until} value={until} options={times} onChange={setUntil} />}
      </DialogForm>
    </Dialog>
  );
}

async function send(address: string, body: object, done: string): Promise<void> {
  try {
    const { changed } = await post<{ changed: boolean }>(address, body);
    toast(changed ? done : t.queues.unchanged);
    beat();
    refreshAll();
  } catch (error) {
    complain(error);
  }
}

export function pauseQueue({ name }: Queue): void {
  show(() => <Ask title={t.queues.pauseTitle(name)} more={t.queues.pauseMore} confirm={t.queues.pause} hasUntil onConfirm={body => void send(`${path("queues", name)}/pause`, body, t.queues.done(name, true))} />);
}

export function resumeQueue({ name }: Queue): void {
  void send(`${path("queues", name)}/resume`, {}, t.queues.done(name, false));
}

export function pauseSchedule({ name, nextDue }: Schedule): void {
  show(() => <Ask title={t.schedules.pauseTitle(name)} more={t.schedules.pauseMore} confirm={t.queues.pause} hasUntil nextTick={nextDue} onConfirm={body => void send(`${path("schedules", name)}/pause`, body, t.queues.done(name, true))} />);
}

export function resumeSchedule({ name }: Schedule): void {
  void send(`${path("schedules", name)}/resume`, {}, t.queues.done(name, false));
}

export function runSchedule({ name }: Schedule): void {
  const run = async (body: object) => {
    try {
      const { id } = await post<{ id: string }>(`${path("schedules", name)}/run`, body);
      toast(t.form.done(id), { link: { href: path("jobs", id), text: t.form.open } });
      beat();
      refreshAll();
    } catch (error) {
      complain(error);
    }
  };
  show(() => <Ask title={t.schedules.runTitle(name)} more={t.schedules.runMore} confirm={t.schedules.run} onConfirm={body => void run(body)} />);
}

export function drainWorker({ id, name }: Worker): void {
  show(() => <Ask title={t.workers.drainTitle(name)} more={t.workers.drainMore} confirm={t.workers.drain} onConfirm={body => void send(`${path("workers", id)}/drain`, body, t.workers.drained(name))} />);
}

export function resumeWorker({ id, name }: Worker): void {
  void send(`${path("workers", id)}/resume`, {}, t.workers.resumed(name));
}
