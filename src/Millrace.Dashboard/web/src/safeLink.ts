import { base } from "./boot.ts";

/** A link that came with data: only when it stays inside the application. Nothing else becomes an address. */
export function safeLink(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const url = new URL(text, base);
    return url.origin === base.origin && url.pathname.startsWith(base.pathname) ? url.href : undefined;
  } catch {
    return undefined;
  }
}
