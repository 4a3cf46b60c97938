import { signal } from "@preact/signals";
import { ApiError, get } from "../api/client.ts";
import type { JobCounts, Me, Permission } from "../api/types.ts";

export const me = signal<Me | undefined>(undefined);

/** How many jobs failed: for the title and the icon of the tab. */
export const failed = signal(0);

export function noteCounts(counts: JobCounts["counts"]): void {
  failed.value = counts.failed ?? 0;
}

/** Asks who is looking. Tried again until answered: without it no button is shown. */
export async function load(): Promise<void> {
  try {
    me.value = (await get<Me>("me")).value;
  } catch (error) {
    if (error instanceof ApiError && error.isOutage) setTimeout(() => void load(), 3_000);
  }
}

/** Buttons the user may not press are not there. The server decides all the same. */
export function may(permission: Permission): boolean {
  const who = me.value;
  return who !== undefined && !who.isReadOnly && who.permissions.includes(permission);
}
