import { signal } from "@preact/signals";
import { boot } from "../boot.ts";
import { read, type View } from "../pure/views.ts";

// Two dashboards of one application show different jobs.
const key = `millrace.views ${boot.mount}`;

/** The filters that were named in this browser. */
export const views = signal<readonly View[]>(stored());

function stored(): View[] {
  try {
    return read(localStorage.getItem(key));
  } catch {
    // Storage may be forbidden: then views last as long as the page.
    return [];
  }
}

export function keep(changed: readonly View[]): void {
  views.value = changed;
  try {
    localStorage.setItem(key, JSON.stringify(changed));
  } catch {
    // As above.
  }
}

// Another tab changed them.
addEventListener("storage", event => { if (event.key === key || event.key === null) views.value = stored(); });
