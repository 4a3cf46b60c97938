import { now } from "../api/live.ts";
import { may } from "../state/me.ts";
import { change, dismiss, stop, toasts, undo, type Toast } from "../state/toasts.ts";
import type { Operation } from "../api/types.ts";
import { t } from "../text.ts";
import { Text } from "./Words.tsx";
import { Button, IconButton } from "./Parts.tsx";
import { Icon } from "./Icon.tsx";

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(x => <ToastLine key={x.id} toast={x} />)}
    </div>
  );
}

function ToastLine({ toast }: { toast: Toast }) {
  const { operation } = toast;
  const isGoingOn = operation && !operation.ended;
  return (
    <div class={`toast ${toast.kind}`} onMouseEnter={() => change(toast.id, { isHeld: true })} onMouseLeave={() => change(toast.id, { isHeld: false })}>
      <Icon name={toast.kind === "problem" ? "warning" : isGoingOn ? "running" : "tick"} />
      <div class="toast-text">
        {operation && !toast.text ? <OperationText operation={operation} /> : <Text value={toast.text} />}
        {toast.link && <> <a href={toast.link.href}>{toast.link.text}</a></>}
      </div>
      {isGoingOn && operation.kind !== "" && <Button kind="quiet" onClick={() => void stop(operation)}>{t.act.stop}</Button>}
      {operation && !isGoingOn && <UndoButton operation={operation} onDone={() => dismiss(toast.id)} />}
      <IconButton icon="close" name={t.shell.dismiss} onClick={() => dismiss(toast.id)} />
    </div>
  );
}

function OperationText({ operation }: { operation: Operation }) {
  if (operation.kind === "") return <>…</>;
  const action = operation.kind.replace("_", "-");
  if (operation.ended) {
    return <>{t.act.ended(t.kinds[operation.kind] ?? operation.kind, operation.done, operation.skipped)}{operation.error && <> <Text value={t.act.endedEarly(operation.error)} /></>}</>;
  }
  const done = operation.done + operation.skipped;
  return (
    <>
      {t.act.doing[action] ?? operation.kind}: {t.act.progress(done, operation.expected)}
      <progress value={done} max={Math.max(operation.expected, 1)} aria-label={t.jobs.progress} />
    </>
  );
}

/** Undo with the time that is left; not there when it cannot be undone any more. */
export function UndoButton({ operation, onDone }: { operation: Operation; onDone?: () => void }) {
  if (!operation.undoUntil || operation.undoneBy || !operation.ended || !may("operate")) return null;
  const left = Date.parse(operation.undoUntil) - now.value;
  if (left <= 0) return null;
  const seconds = Math.floor(left / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return <Button kind="quiet" icon="undo" onClick={() => { void undo(operation.id); onDone?.(); }}>{t.activity.undoFor(clock)}</Button>;
}
