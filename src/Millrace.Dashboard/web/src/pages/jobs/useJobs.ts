import { effect, untracked, useSignal, type Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ApiError, get } from "../../api/client.ts";
import { pulse } from "../../api/live.ts";
import { query, outage, type Query } from "../../api/query.ts";
import type { JobList } from "../../api/types.ts";
import { link } from "../../router.ts";
import { append, merge, nothing, type Shown } from "./rows.ts";

const page = 50;
// The most that one answer holds: further down, rows no longer change by themselves.
const mostLive = 200;
// Then whoever waits is asked whether to search further.
const longestSearchInMs = 1_500;

export interface Jobs {
  shown: Signal<Shown>;
  error: Signal<ApiError | undefined>;
  isPartial: Signal<boolean>;
  isLoading: Signal<boolean>;
  isMoreLoading: Signal<boolean>;
  more: () => Promise<void>;
  takeFresh: () => void;
  address: string;
}

/** The list of a filter, kept up to date without jumping. `isStill` says whether now is a bad moment to reorder. */
export function useJobs(q: string, isStill: () => boolean): Jobs {
  const shown = useSignal<Shown>(nothing);
  const error = useSignal<ApiError | undefined>(undefined);
  const isPartial = useSignal(false);
  const isLoading = useSignal(true);
  const isMoreLoading = useSignal(false);
  const live = useMemo(() => ({ query: undefined as Query<JobList> | undefined, limit: page, isHere: true }), [q]);

  useEffect(() => {
    let isHere = true;
    // The rows of the filter before stay until the first answer, so that typing does not make the list flicker.
    let isFirst = true;
    isLoading.value = true;
    error.value = undefined;
    const ask = async () => {
      const asked = live.query = query<JobList>(link("jobs", { q, limit: String(live.limit) }));
      asked.users++;
      const before = asked.data.peek();
      // Coming back: what was there is better than nothing while asking.
      if (before && isFirst) { shown.value = merge(nothing, before, false); isFirst = isLoading.value = false; }
      await asked.refresh();
      asked.users--;
      if (!isHere) return;
      error.value = asked.error.peek();
      const answer = asked.data.peek();
      if (answer && !asked.error.peek()) {
        shown.value = merge(isFirst ? nothing : shown.peek(), answer, isStill());
        isPartial.value = answer.isPartial && !shown.peek().isWhole;
        // One call searches for a moment only. The first page of something rare takes several.
        if (isFirst && isPartial.peek()) void more();
        isFirst = false;
      }
      if (answer || asked.error.peek()?.isOutage === false) isLoading.value = false;
    };
    void ask();
    const first = pulse.peek();
    const stop = effect(() => { if (pulse.value !== first) untracked(() => void ask()); });
    const away = setInterval(() => { if (outage.peek() && !document.hidden) void ask(); }, 3_000);
    return () => { isHere = live.isHere = false; stop(); clearInterval(away); };
  }, [q]);

  const more = async () => {
    if (isMoreLoading.peek()) return;
    isMoreLoading.value = true;
    const began = Date.now(), had = shown.peek().rows.length;
    try {
      for (let next = shown.peek().next; next && live.isHere; next = shown.peek().next) {
        const { value } = await get<JobList>(link("jobs", { q, before: next, limit: String(page) }));
        if (!value || !live.isHere) break;
        shown.value = append(shown.peek(), value);
        live.limit = Math.min(mostLive, Math.max(page, Math.ceil(shown.peek().rows.length / page) * page));
        isPartial.value = value.isPartial;
        if (!value.isPartial || shown.peek().rows.length - had >= page || Date.now() - began > longestSearchInMs) break;
      }
    } catch (failure) {
      if (failure instanceof ApiError) error.value = failure;
    }
    isMoreLoading.value = false;
  };

  const takeFresh = () => {
    const answer = live.query?.data.peek();
    if (answer) shown.value = merge(shown.peek(), answer, false);
  };

  return { shown, error, isPartial, isLoading, isMoreLoading, more, takeFresh, address: link("jobs", { q }) };
}
