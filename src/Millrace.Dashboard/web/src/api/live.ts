import { effect, signal } from "@preact/signals";
import { apiUrl, isSignedOut } from "./client.ts";
import type { Operation } from "./types.ts";

/** How the screen is kept up to date. */
export type Mode = "live" | "polling" | "paused" | "connecting" | "off";

const quietInMs = 20_000;
const pollInMs = 3_000;
const reconnectInMs = 10_000;

export const mode = signal<Mode>("connecting");
export const isPaused = signal(false);

/** Counts up whenever something may have changed. Views ask again when it does. */
export const pulse = signal(0);

/** The time, once a second: what "3m ago" hangs from. It stands still while the tab is hidden. */
export const now = signal(Date.now());

type Listener = (operation: Operation) => void;
const listeners = new Set<Listener>();

export function onOperation(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let source: EventSource | undefined;
let heard = 0;
let opened = 0;
let polled = 0;

function open(): void {
  close();
  opened = heard = Date.now();
  source = new EventSource(apiUrl("events"), { withCredentials: false });
  source.onopen = () => hear();
  source.addEventListener("ping", () => hear());
  source.addEventListener("pulse", () => { hear(); beat(); });
  source.addEventListener("operation", event => {
    hear();
    const operation = JSON.parse((event as MessageEvent<string>).data) as Operation;
    for (const listener of listeners) listener(operation);
  });
  source.onerror = () => { if (mode.value === "live") mode.value = "connecting"; };
}

function hear(): void {
  heard = Date.now();
  if (mode.value !== "live") {
    mode.value = "live";
    // Whatever happened while nobody listened.
    beat();
  }
}

function close(): void {
  source?.close();
  source = undefined;
}

export function beat(): void {
  if (!isPaused.value && !document.hidden) pulse.value++;
}

function tick(): void {
  if (document.hidden) return;
  now.value = Date.now();
  if (isPaused.value || isSignedOut.value) return;
  const isQuiet = Date.now() - heard > quietInMs;
  const isBroken = mode.value === "connecting" && Date.now() - opened > 2_000;
  if (isQuiet || isBroken) {
    // A proxy that buffers keeps the stream silent: ask instead, and try the stream again from time to time.
    mode.value = "polling";
    if (Date.now() - polled >= pollInMs) { polled = Date.now(); beat(); }
    if (Date.now() - opened > reconnectInMs && (isQuiet || source?.readyState === EventSource.CLOSED)) open();
  } else if (mode.value === "polling" && Date.now() - polled >= pollInMs) {
    polled = Date.now();
    beat();
    if (source?.readyState === EventSource.CLOSED && Date.now() - opened > reconnectInMs) open();
  }
}

/** Starts the one stream of this tab. */
export function start(): void {
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", settle);
  effect(() => { isPaused.value; isSignedOut.value; settle(); });
}

function settle(): void {
  if (isSignedOut.peek()) { close(); mode.value = "off"; return; }
  if (isPaused.peek()) { close(); mode.value = "paused"; return; }
  if (document.hidden) { close(); return; }
  now.value = Date.now();
  if (!source) {
    mode.value = "connecting";
    open();
    beat();
  }
}
