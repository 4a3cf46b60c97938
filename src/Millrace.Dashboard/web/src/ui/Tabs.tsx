import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";

export interface Tab {
  id: string;
  name: string;
  count?: number;
}

/** Tabs as the platform's guidelines have them: one stop for the Tab key, arrows between them. */
export function Tabs({ name, tabs, current, onChange, children }: { name: string; tabs: Tab[]; current: string; onChange: (id: string) => void; children: ComponentChildren }) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const at = tabs.findIndex(x => x.id === current);
    const to = event.key === "ArrowRight" ? at + 1 : event.key === "ArrowLeft" ? at - 1 : event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : undefined;
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    if (!next) return;
    onChange(next.id);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>("[aria-selected=true]")?.focus());
  };
  return (
    <div class="panel tabs">
      <div class="tab-list" role="tablist" aria-label={name} ref={list} onKeyDown={onKeyDown}>
        {tabs.map(x => (
          <button key={x.id} type="button" role="tab" id={`${id}-${x.id}`} aria-selected={x.id === current} aria-controls={`${id}-panel`} tabIndex={x.id === current ? 0 : -1} onClick={() => onChange(x.id)}>
            {x.name}{x.count ? <span class="count">{x.count}</span> : null}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${current}`}>{children}</div>
    </div>
  );
}
