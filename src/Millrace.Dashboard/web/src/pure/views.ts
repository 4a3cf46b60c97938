/** A filter that somebody gave a name. */
export interface View {
  name: string;
  q: string;
}

export const most = 20;
export const longestName = 40;
const longestFilter = 200;

/** A name as it is kept: one line, no spaces around it. Undefined: it is none. */
export function nameOf(typed: string): string | undefined {
  const name = typed.replace(/\s+/g, " ").trim();
  return name.length > 0 && name.length <= longestName ? name : undefined;
}

/** What a browser's storage holds, which anybody may have written: only what is a view, and no more than there may be. */
export function read(text: string | null): View[] {
  let given: unknown;
  try {
    given = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  return Array.isArray(given) ? given.slice(0, most).reduce<View[]>((all, one) => isView(one) ? put(all, one.name, one.q) ?? all : all, []) : [];
}

function isView(one: unknown): one is View {
  if (typeof one !== "object" || one === null) return false;
  const { name, q } = one as Partial<Record<keyof View, unknown>>;
  return typeof name === "string" && nameOf(name) === name && typeof q === "string" && q.length > 0 && q.length <= longestFilter;
}

/** With this one, in the place of one with the same name. Undefined: there is no room. */
export function put(views: readonly View[], name: string, q: string): View[] | undefined {
  const others = remove(views, name);
  return others.length < most ? sorted([...others, { name, q }]) : undefined;
}

/** Undefined: the name is another one's. */
export function rename(views: readonly View[], from: string, to: string): View[] | undefined {
  if (to !== from && views.some(view => view.name === to)) return undefined;
  return sorted(views.map(view => view.name === from ? { ...view, name: to } : view));
}

export function remove(views: readonly View[], name: string): View[] {
  return views.filter(view => view.name !== name);
}

function sorted(views: View[]): View[] {
  return views.sort((a, b) => a.name.localeCompare(b.name, "en"));
}
