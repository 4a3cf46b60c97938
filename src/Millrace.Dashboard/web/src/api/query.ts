import { effect, signal, untracked, type Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ApiError, get, isSignedOut } from "./client.ts";
import { pulse } from "./live.ts";

/** Since when the server or its database does not answer; undefined while it does. One for the whole page. */
export const outage = signal<{ since: number; error: ApiError } | undefined>(undefined);

/** What one address last said. Kept when asking again fails, so the screen never goes blank. */
export class Query<T> {
  readonly data: Signal<T | undefined> = signal(undefined);
  readonly error: Signal<ApiError | undefined> = signal(undefined);
  readonly at = signal(0);
  users = 0;
  #etag: string | undefined;
  #isBusy = false;
  #isDirty = false;

  constructor(readonly path: string) {}

  /** Asks again; calls that come while one is under way become one more. */
  async refresh(): Promise<void> {
    if (this.#isBusy) { this.#isDirty = true; return; }
    this.#isBusy = true;
    try {
      const answer = await get<T>(this.path, this.#etag);
      if (answer.value !== undefined) this.data.value = answer.value;
      this.#etag = answer.etag;
      this.at.value = Date.now();
      this.error.value = undefined;
      outage.value = undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.isOutage) outage.value ??= { since: error.problem.since ? Date.parse(error.problem.since) : Date.now(), error };
      else outage.value = undefined;
      this.error.value = error;
    } finally {
      this.#isBusy = false;
    }
    if (this.#isDirty) {
      this.#isDirty = false;
      void this.refresh();
    }
  }
}

const kept = new Map<string, Query<unknown>>();
const most = 40;

/** The one query of an address: going back to a view shows at once what was there. */
export function query<T>(path: string): Query<T> {
  let found = kept.get(path);
  if (found) kept.delete(path);
  else found = new Query<unknown>(path);
  kept.set(path, found);
  for (const [old, { users }] of kept) {
    if (kept.size <= most) break;
    if (users === 0) kept.delete(old);
  }
  return found as Query<T>;
}

export interface QueryOptions {
  /** Asks at most this often, however often something happens. */
  everyMs?: number;
  /** False: once. */
  isLive?: boolean;
}

/** Reads an address and keeps it up to date while the component is there. Undefined path: nothing. */
export function useQuery<T>(path: string | undefined, { everyMs = 0, isLive = true }: QueryOptions = {}): Query<T> {
  const found = useMemo(() => path === undefined ? new Query<T>("") : query<T>(path), [path]);
  useEffect(() => {
    if (path === undefined) return;
    found.users++;
    let asked = Date.now();
    void found.refresh();
    const first = pulse.peek();
    const stop = isLive ? effect(() => {
      if (pulse.value === first || Date.now() - asked < everyMs) return;
      asked = Date.now();
      untracked(() => void found.refresh());
    }) : undefined;
    return () => { found.users--; stop?.(); };
  }, [found, everyMs, isLive]);
  return found;
}

// While the database is away there may be no pulses: the views on the screen ask every three seconds until one is answered.
let retry: ReturnType<typeof setInterval> | undefined;
effect(() => {
  const isAway = outage.value !== undefined && !isSignedOut.value;
  if (isAway) retry ??= setInterval(refreshAll, 3_000);
  else if (retry) { clearInterval(retry); retry = undefined; refreshAll(); }
});

/** Asks all views on the screen again. */
export function refreshAll(): void {
  if (document.hidden) return;
  for (const found of kept.values()) if (found.users > 0) void found.refresh();
}
