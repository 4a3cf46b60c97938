import { signal } from "@preact/signals";
import { ApiError, get, post } from "../api/client.ts";
import { beat, onOperation } from "../api/live.ts";
import type { Operation, UndoAnswer } from "../api/types.ts";
import { t } from "../text.ts";

export interface Toast {
  id: number;
  kind: "done" | "problem";
  text: string;
  link?: { href: string; text: string };
  /** A change whose progress is shown, and which can be stopped or undone. */
  operation?: Operation;
  isHeld?: boolean;
}

export const toasts = signal<Toast[]>([]);
let last = 0;

const shownInMs = 12_000;

export function toast(text: string, more: Partial<Toast> = {}): number {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-3), { id, kind: "done", text, ...more }];
  if (!more.operation || more.operation.ended) leave(id, shownInMs);
  return id;
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter(x => x.id !== id);
}

export function change(id: number, changes: Partial<Toast>): void {
  toasts.value = toasts.value.map(x => x.id === id ? { ...x, ...changes } : x);
}

function leave(id: number, after: number): void {
  setTimeout(() => {
    // Whoever points at it is reading it.
    if (toasts.value.find(x => x.id === id)?.isHeld) leave(id, 4_000);
    else dismiss(id);
  }, after);
}

/** Says what went wrong, in the server's words. */
export function complain(error: unknown): void {
  toast(explain(error), { kind: "problem" });
}

export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  const { status, permission, title, detail } = error.problem;
  if (status === 401) return t.outage.signedOut;
  if (status === 403) return t.problem.forbidden(permission);
  return detail && detail !== title ? `${title}. ${detail}`.replace("..", ".") : title;
}

/** Shows a change that was begun, until it has ended and a while longer. */
export async function follow(operationId: string): Promise<void> {
  const id = toast("", { operation: { id: operationId, kind: "", at: "", by: "", via: "", target: "", expected: 0, done: 0, skipped: 0 } });
  await refresh(id, operationId);
}

async function refresh(id: number, operationId: string): Promise<void> {
  try {
    const operation = (await get<Operation>(`operations/${operationId}`)).value;
    if (operation) update(id, operation);
  } catch (error) {
    if (!(error instanceof ApiError && error.isOutage)) { dismiss(id); complain(error); return; }
  }
  const current = toasts.value.find(x => x.id === id);
  // The stream tells of progress too; this is for when it is silent.
  if (current?.operation && !current.operation.ended) setTimeout(() => void refresh(id, operationId), 1_000);
}

function update(id: number, operation: Operation): void {
  const before = toasts.value.find(x => x.id === id);
  if (!before || before.operation?.ended) return;
  change(id, { operation });
  if (operation.ended) {
    beat();
    leave(id, 20_000);
  }
}

onOperation(operation => {
  for (const x of toasts.value) if (x.operation?.id === operation.id) update(x.id, operation);
});

export async function stop(operation: Operation): Promise<void> {
  await post(`operations/${operation.id}/stop`).catch(complain);
}

export async function undo(operationId: string): Promise<void> {
  try {
    const answer = await post<UndoAnswer>(`operations/${operationId}/undo`);
    if (answer.result === "done") toast(t.act.undone(answer.restored, answer.lost));
    else toast(t.act.undoResults[answer.result], { kind: "problem" });
    beat();
  } catch (error) {
    complain(error);
  }
}
