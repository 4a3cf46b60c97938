/** A number as it was written: an id of 19 digits must not be rounded on its way to the screen. */
export class Digits {
  constructor(readonly text: string) {}
}

export type Json = null | boolean | string | Digits | Json[] | { [name: string]: Json };

/** Reads JSON text and keeps the digits of its numbers; undefined when it is not JSON (a preview that was cut is not). */
export function readJson(text: string): Json | undefined {
  try {
    // The third argument is newer than the type library. Without it the number is as good as the browser can do.
    const reviver = (_: string, value: unknown, context?: { source?: string }) => typeof value === "number" ? new Digits(context?.source ?? String(value)) : value;
    return JSON.parse(text, reviver as (key: string, value: unknown) => unknown) as Json;
  } catch {
    return undefined;
  }
}

/** The text with line breaks and two spaces, digits kept. */
export function pretty(value: Json, indent = ""): string {
  if (value instanceof Digits) return value.text;
  if (Array.isArray(value)) return block("[", "]", value.map(v => pretty(v, `${indent}  `)), indent);
  if (value !== null && typeof value === "object") {
    return block("{", "}", Object.entries(value).map(([name, v]) => `${JSON.stringify(name)}: ${pretty(v, `${indent}  `)}`), indent);
  }
  return JSON.stringify(value);
}

function block(open: string, close: string, items: string[], indent: string): string {
  return items.length === 0 ? open + close : `${open}\n${items.map(i => `${indent}  ${i}`).join(",\n")}\n${indent}${close}`;
}

/** JSON text made readable; other text as it is. */
export function prettyText(text: string): string {
  const value = readJson(text);
  return value === undefined ? text : pretty(value);
}

/** One line of data for a list: {"path":"a.md","size":3} becomes path: a.md · size: 3. */
export function glance(text: string, most = 120): string {
  const value = readJson(text);
  if (value === undefined) return cut(text.replace(/\s+/g, " "), most);
  if (value === null || typeof value !== "object" || value instanceof Digits || Array.isArray(value)) return cut(inline(value), most);
  return cut(Object.entries(value).map(([name, v]) => `${name}: ${inline(v)}`).join(" · "), most);
}

function inline(value: Json): string {
  if (typeof value === "string") return value.replace(/\s+/g, " ");
  if (value instanceof Digits) return value.text;
  if (Array.isArray(value)) return `[${value.length}]`;
  if (value !== null && typeof value === "object") return `{${Object.keys(value).join(", ")}}`;
  return String(value);
}

function cut(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
}
