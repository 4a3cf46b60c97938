import { computed, signal } from "@preact/signals";
import { base } from "./boot.ts";

/** Where the page is, relative to the mount: path without a leading slash, and the query. */
export interface Place {
  path: string;
  query: URLSearchParams;
}

function read(): Place {
  const path = location.pathname.startsWith(base.pathname) ? location.pathname.slice(base.pathname.length) : "";
  return { path: path.replace(/\/+$/, ""), query: new URLSearchParams(location.search) };
}

export const place = signal<Place>(read());

/** The path's segments, decoded. Text that cannot be decoded stays as it is. */
export const segments = computed(() => place.value.path.split("/").filter(s => s !== "").map(decode));

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A link inside the application: `link("jobs", { q: "state:failed" })`. Relative, so it hangs from the shell's <base>. */
export function link(path: string, query: Record<string, string | undefined> = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== "") given.set(name, value);
  const text = given.toString();
  return (path === "" ? "./" : path) + (text ? `?${text}` : "");
}

/** A path of names, each encoded. */
export function path(...names: string[]): string {
  return names.map(encodeURIComponent).join("/");
}

/** Goes somewhere. `replace` leaves no step behind: for what is typed, tabs and ranges. */
export function go(to: string, replace = false): void {
  const url = new URL(to, base);
  if (url.href === location.href) return;
  const isOtherPage = url.pathname !== location.pathname;
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  place.value = read();
  if (isOtherPage) {
    scrollTo(0, 0);
    // Screen readers and keys start from the new page, not from the link that is gone.
    requestAnimationFrame(() => document.getElementById("main")?.focus({ preventScroll: true }));
  }
}

/** The same page with other parameters. */
export function goQuery(changes: Record<string, string | undefined>, replace = true): void {
  const query = Object.fromEntries(place.peek().query);
  go(link(place.peek().path, { ...query, ...changes }), replace);
}

/** Takes over plain clicks on links that stay under the mount. */
export function start(): void {
  addEventListener("popstate", () => { place.value = read(); });
  document.addEventListener("click", event => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const anchor = (event.target as Element).closest?.("a[href]") as HTMLAnchorElement | null;
    if (!anchor || anchor.target || anchor.hasAttribute("download")) return;
    const url = new URL(anchor.href);
    if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname) || url.pathname.startsWith(`${base.pathname}api/`)) return;
    event.preventDefault();
    go(anchor.href);
  });
}
