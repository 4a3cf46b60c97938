import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { longestName, most, nameOf, put, remove, rename, type View } from "../../pure/views.ts";
import { visible } from "../../pure/visible.ts";
import { link } from "../../router.ts";
import { keep, views } from "../../state/views.ts";
import { t } from "../../text.ts";
import { close, Dialog, show } from "../../ui/Dialog.tsx";
import { TextField } from "../../ui/Fields.tsx";
import { Empty, IconButton } from "../../ui/Parts.tsx";
import { Text } from "../../ui/Words.tsx";

/** The filters that have a name: to open, to rename, to delete, and to add this one to. */
export function openViews(q: string): void {
  show(() => <Views q={q} />);
}

function Views({ q }: { q: string }) {
  const body = useRef<HTMLDivElement>(null);
  const all = views.value;
  // A row that was deleted, or became a form and a row again, has taken the focus with it.
  const focus = (at: number) => requestAnimationFrame(() => {
    const links = body.current?.querySelectorAll<HTMLElement>("li > a") ?? [];
    (links[Math.min(at, links.length - 1)] ?? body.current)?.focus();
  });
  return (
    <Dialog title={t.views.title} onClose={close} class="wide">
      <div ref={body} class="views" tabIndex={-1}>
        {q === "" ? <p class="muted">{t.views.noFilter}</p> : <SaveForm q={q} />}
        {all.length === 0 && <Empty text={t.views.none} hint={t.views.noneHint} />}
        {all.length > 0 && <ul aria-label={t.views.title}>{all.map((view, i) => <Row key={view.name} view={view} isCurrent={view.q === q} onGone={() => focus(i)} onRenamed={name => focus(views.value.findIndex(one => one.name === name))} />)}</ul>}
        <p class="muted" aria-live="polite">{t.views.count(all.length, most)}</p>
      </div>
    </Dialog>
  );
}

function SaveForm({ q }: { q: string }) {
  const [typed, setTyped] = useState("");
  const name = nameOf(typed);
  const isTaken = views.value.some(view => view.name === name);
  const isFull = !isTaken && views.value.length >= most;
  const save = () => {
    const changed = name === undefined ? undefined : put(views.value, name, q);
    if (!changed) return;
    keep(changed);
    setTyped("");
  };
  return (
    <form onSubmit={event => { event.preventDefault(); save(); }}>
      <TextField label={t.views.name} hint={isTaken ? t.views.replaces : <Text value={q} class="mono" />} error={isFull ? t.views.full(most) : undefined} value={typed} onInput={setTyped} max={longestName} isFirst />
      <button type="submit" class="button primary" disabled={name === undefined || isFull}>{t.views.save}</button>
    </form>
  );
}

function Row({ view, isCurrent, onGone, onRenamed }: { view: View; isCurrent: boolean; onGone: () => void; onRenamed: (name: string) => void }) {
  const [isRenamed, setRenamed] = useState(false);
  const name = visible(view.name);
  if (isRenamed) return <li><RenameForm view={view} onEnd={name => { setRenamed(false); onRenamed(name); }} /></li>;
  return (
    <li>
      <a href={link("jobs", { q: view.q })} aria-current={isCurrent ? "true" : undefined} onClick={close}><Text value={view.name} class="strong" /><Text value={view.q} class="mono muted" /></a>
      <IconButton icon="edit" name={t.views.rename(name)} onClick={() => setRenamed(true)} />
      <IconButton icon="trash" name={t.views.remove(name)} onClick={() => { keep(remove(views.value, view.name)); onGone(); }} />
    </li>
  );
}

function RenameForm({ view, onEnd }: { view: View; onEnd: (name: string) => void }) {
  const form = useRef<HTMLFormElement>(null);
  const [typed, setTyped] = useState(view.name);
  const [isTaken, setTaken] = useState(false);
  // At once: what is typed next is the name.
  useLayoutEffect(() => {
    const input = form.current?.querySelector("input");
    input?.focus();
    input?.select();
  }, []);
  const submit = () => {
    const name = nameOf(typed);
    if (name === undefined) return;
    const changed = rename(views.value, view.name, name);
    setTaken(!changed);
    if (!changed) return;
    keep(changed);
    onEnd(name);
  };
  // Escape ends this, and not the dialog.
  const onKeyDown = (event: KeyboardEvent) => { if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); onEnd(view.name); } };
  return (
    <form ref={form} onSubmit={event => { event.preventDefault(); submit(); }} onKeyDown={onKeyDown}>
      <TextField label={t.views.newName} error={isTaken ? t.views.taken : undefined} value={typed} onInput={value => { setTyped(value); setTaken(false); }} max={longestName} />
      <button type="submit" class="button primary" disabled={nameOf(typed) === undefined}>{t.views.renameIt}</button>
    </form>
  );
}
