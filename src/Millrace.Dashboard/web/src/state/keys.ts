import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { shortcuts } from "./settings.ts";

export type Keys = Record<string, ((event: KeyboardEvent) => void) | undefined>;

// The latest view's keys come first.
const layers: Keys[] = [];

/** How many dialogs are open. Keys and the order of lists stand still while one is. */
export const dialogs = signal(0);

let prefix = "";
let prefixed = 0;

function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return !!element?.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
}

/** Listens for keys: `j`, `G`, `?`, or `g o` for one after the other. Palette keys work everywhere. */
export function start(): void {
  addEventListener("keydown", event => {
    if (event.isComposing || dialogs.value > 0) return;
    if ((event.metaKey || event.ctrlKey) && !event.altKey && event.key.toLowerCase() === "k") { run("mod+k", event); return; }
    if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
    if (event.key !== "Escape" && shortcuts.value === "off") return;
    const isWithPrefix = prefix !== "" && event.timeStamp - prefixed < 1500;
    const key = event.key === " " ? "Space" : event.key;
    const whole = isWithPrefix ? `${prefix} ${key}` : key;
    prefix = "";
    if (run(whole, event)) return;
    if (!isWithPrefix && key === "g") { prefix = key; prefixed = event.timeStamp; }
  });
}

function run(key: string, event: KeyboardEvent): boolean {
  // Space and Enter press buttons and tick boxes first of all.
  if ((key === "Space" || key === "Enter") && (event.target as HTMLElement).closest?.("button, summary, input")) return false;
  const found = layers.findLast(keys => keys[key] !== undefined)?.[key];
  if (!found) return false;
  event.preventDefault();
  found(event);
  return true;
}

/** Keys that work while the component is there. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useLayoutEffect(() => {
    const layer: Keys = new Proxy({}, { get: (_, key) => latest.current[key as string] });
    layers.push(layer);
    return () => { layers.splice(layers.indexOf(layer), 1); };
  }, []);
}
