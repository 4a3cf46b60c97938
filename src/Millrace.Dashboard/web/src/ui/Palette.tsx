import { useId, useState } from "preact/hooks";
import { useQuery } from "../api/query.ts";
import type { FilterWords } from "../api/types.ts";
import { term } from "../pure/filter.ts";
import { find, type Place } from "../pure/palette.ts";
import { go, link, path } from "../router.ts";
import { views } from "../state/views.ts";
import { t } from "../text.ts";
import { close, Dialog, show } from "./Dialog.tsx";
import { Text } from "./Words.tsx";

export function openPalette(): void {
  show(() => <Palette />);
}

const pages: Place[] = (["overview", "jobs", "failures", "queues", "schedules", "workers", "types", "activity", "system"] as const)
  .map(page => ({ kind: t.palette.page, name: t.pages[page], href: page === "overview" ? "./" : page }));

/** One box to go anywhere. */
function Palette() {
  const id = useId();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const words = useQuery<FilterWords>("filter/words", { isLive: false }).data.value;
  const all: Place[] = [
    ...pages,
    ...views.value.map(view => ({ kind: t.palette.view, name: view.name, href: link("jobs", { q: view.q }) })),
    ...(words?.queues ?? []).map(name => ({ kind: t.palette.queue, name, href: path("queues", name) })),
    ...(words?.types ?? []).map(name => ({ kind: t.palette.type, name, href: path("types", name) })),
    ...(words?.schedules ?? []).map(name => ({ kind: t.palette.schedule, name, href: path("schedules", name) })),
    ...(words?.workers ?? []).map(name => ({ kind: t.palette.worker, name, href: link("jobs", { q: term("worker", name) }) })),
  ];
  const typed = text.trim();
  const found = [
    ...(/^#?\d{1,19}$/.test(typed) ? [{ kind: t.palette.job, name: typed.replace("#", ""), href: path("jobs", typed.replace("#", "")) }] : []),
    ...find(all, typed),
    ...(typed.length > 1 ? [{ kind: t.palette.filter, name: typed, href: link("jobs", { q: typed }) }] : []),
  ].slice(0, 12);
  const take = (target: Place | undefined) => { if (target) { close(); go(target.href); } };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setChosen((chosen + (event.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(found[chosen]);
    }
  };
  return (
    <Dialog title={t.palette.title} onClose={close} class="palette">
      <input
        type="text" role="combobox" aria-label={t.palette.title} aria-expanded="true" aria-controls={`${id}-list`} aria-autocomplete="list" autofocus spellcheck={false} autocomplete="off"
        aria-activedescendant={found[chosen] ? `${id}-${chosen}` : undefined} placeholder={t.palette.hint} value={text} maxLength={200}
        onInput={event => { setText(event.currentTarget.value); setChosen(0); }} onKeyDown={onKeyDown}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={t.palette.title}>
        {found.map((f, i) => <li key={f.kind + f.name} id={`${id}-${i}`} role="option" aria-selected={i === chosen} onClick={() => take(f)}><Text value={f.name} /><span class="muted">{f.kind}</span></li>)}
      </ul>
      {found.length === 0 && <p class="muted">{t.palette.none}</p>}
    </Dialog>
  );
}
