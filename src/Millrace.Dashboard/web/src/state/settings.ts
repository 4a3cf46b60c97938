import { effect, signal, type Signal } from "@preact/signals";
import type { Zone } from "../pure/time.ts";

function remembered<T extends string>(name: string, allowed: readonly T[]): Signal<T> {
  const key = `millrace.${name}`;
  let first: T = allowed[0] as T;
  try {
    const stored = localStorage.getItem(key) as T | null;
    if (stored !== null && allowed.includes(stored)) first = stored;
  } catch {
    // Storage may be forbidden: then a choice lasts as long as the page.
  }
  const value = signal(first);
  effect(() => {
    try {
      localStorage.setItem(key, value.value);
    } catch {
      // As above.
    }
  });
  return value;
}

export const theme = remembered("theme", ["auto", "light", "dark"] as const);
export const zone: Signal<Zone> = remembered("zone", ["local", "utc"] as const);
export const shortcuts = remembered("shortcuts", ["on", "off"] as const);

const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/** The theme that is shown: what charts, which cannot use CSS variables, look at. */
export const shown = signal<"light" | "dark">("light");

function settle(): void {
  shown.value = theme.value === "auto" ? (prefersDark.matches ? "dark" : "light") : theme.value;
  document.documentElement.dataset.theme = shown.value;
}

effect(settle);
prefersDark.addEventListener("change", settle);

export function nextTheme(): void {
  const order = ["auto", "light", "dark"] as const;
  theme.value = order[(order.indexOf(theme.value) + 1) % order.length] ?? "auto";
}
