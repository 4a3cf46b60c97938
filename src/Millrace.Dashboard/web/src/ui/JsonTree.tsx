import { useState } from "preact/hooks";
import { Digits, pretty, readJson, type Json } from "../pure/json.ts";
import { plural } from "../pure/number.ts";
import { CopyButton } from "./Parts.tsx";
import { Text } from "./Words.tsx";

/** JSON as a tree that can be folded; text that is not JSON as it is. Blanked values are marked as such. */
export function JsonView({ text, name }: { text: string; name: string }) {
  const value = readJson(text);
  return (
    <div class="json">
      <CopyButton text={value === undefined ? text : pretty(value)} />
      {value === undefined ? <pre tabIndex={0} role="region" aria-label={name}><Text value={text} /></pre> : <div class="json-root" tabIndex={0} role="region" aria-label={name}><Node value={value} depth={0} /></div>}
    </div>
  );
}

function Node({ value, name, depth }: { value: Json; name?: string; depth: number }) {
  const isBranch = value !== null && typeof value === "object" && !(value instanceof Digits);
  if (!isBranch) return <div class="json-line">{name !== undefined && <Name name={name} />}<Leaf value={value} /></div>;
  return <Branch value={value as Json[] | Record<string, Json>} name={name} depth={depth} />;
}

const most = 200;

function Branch({ value, name, depth }: { value: Json[] | Record<string, Json>; name?: string; depth: number }) {
  const entries = Array.isArray(value) ? value.map((v, i) => [String(i), v] as const) : Object.entries(value);
  const [shown, setShown] = useState(most);
  if (entries.length === 0) return <div class="json-line">{name !== undefined && <Name name={name} />}<span class="muted">{Array.isArray(value) ? "[]" : "{}"}</span></div>;
  const children = <div class="json-children">
    {entries.slice(0, shown).map(([n, v]) => <Node key={n} name={n} value={v} depth={depth + 1} />)}
    {entries.length > shown && <button type="button" class="button quiet" onClick={() => setShown(shown + 1000)}>+ {entries.length - shown}</button>}
  </div>;
  if (name === undefined) return children;
  return (
    <details class="json-branch" open={depth < 3 && entries.length <= 50}>
      <summary><Name name={name} /><span class="muted">{plural(entries.length, Array.isArray(value) ? "item" : "member")}</span></summary>
      {children}
    </details>
  );
}

function Name({ name }: { name: string }) {
  return <span class="json-name"><Text value={name} /></span>;
}

function Leaf({ value }: { value: Json }) {
  if (typeof value === "string") return <span class={value.startsWith("•••• redacted") ? "json-blank" : "json-text"}><Text value={value} /></span>;
  if (value instanceof Digits) return <span class="json-number">{value.text}</span>;
  return <span class="json-word">{String(value)}</span>;
}
