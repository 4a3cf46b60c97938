import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { signal } from "@preact/signals";
import { dialogs } from "../state/keys.ts";
import { t } from "../text.ts";
import { Button, IconButton } from "./Parts.tsx";
import type { IconName } from "./Icon.tsx";

interface DialogProps {
  title: ComponentChildren;
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
}

/** A real dialog: the browser keeps the focus inside, Escape closes it, and the focus goes back where it was. */
export function Dialog({ title, onClose, children, class: extra }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before anything is drawn: whoever types on at once, types into the dialog, and presses none of the page's keys.
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialogs.value++;
    if (dialog && !dialog.open) dialog.showModal();
    return () => { dialogs.value--; dialog?.close(); };
  }, []);
  return (
    <dialog ref={ref} class={extra} aria-labelledby={id} onCancel={event => { event.preventDefault(); onClose(); }} onClick={event => { if (event.target === ref.current) onClose(); }}>
      <div class="dialog-body">
        <header><h2 id={id}>{title}</h2><IconButton icon="close" name={t.shell.close} onClick={onClose} /></header>
        {children}
      </div>
    </dialog>
  );
}

interface FormProps {
  children?: ComponentChildren;
  confirm: string;
  kind?: "primary" | "danger";
  icon?: IconName;
  isBusy?: boolean;
  isDisabled?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** The fields of a dialog and its two buttons; Enter confirms. */
export function DialogForm({ children, confirm, kind = "primary", isBusy, isDisabled, onConfirm, onClose }: FormProps) {
  return (
    <form method="dialog" onSubmit={event => { event.preventDefault(); if (!isBusy && !isDisabled) onConfirm(); }}>
      {children}
      <footer>
        <Button onClick={onClose}>{t.act.cancelDialog}</Button>
        <button type="submit" class={`button ${kind}`} disabled={isDisabled || isBusy} aria-busy={isBusy}>{confirm}</button>
      </footer>
    </form>
  );
}

/** The one dialog on the screen, whoever opened it. */
export const opened = signal<(() => ComponentChildren) | undefined>(undefined);

export function show(dialog: (close: () => void) => ComponentChildren): void {
  opened.value = () => dialog(close);
}

export function close(): void {
  opened.value = undefined;
}

export function DialogHost() {
  return <>{opened.value?.()}</>;
}
