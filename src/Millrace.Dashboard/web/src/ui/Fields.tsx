import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { t } from "../text.ts";

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  error?: string;
  value: string;
  onInput: (value: string) => void;
  isMono?: boolean;
  isFirst?: boolean;
  rows?: number;
  mode?: "text" | "numeric" | "decimal";
  max?: number;
}

/** One line or several, with its label, its hint and what is wrong with it. */
export function TextField({ label, hint, error, value, onInput, isMono, isFirst, rows, mode = "text", max }: FieldProps) {
  const id = useId();
  const shared = {
    id, value, maxLength: max, class: isMono ? "mono" : undefined, spellcheck: false, autocomplete: "off" as const, autofocus: isFirst,
    "aria-invalid": error ? true : undefined, "aria-describedby": hint || error ? `${id}-hint` : undefined,
    onInput: (event: Event) => onInput((event.target as HTMLInputElement).value),
  };
  return (
    <div class={`field ${error ? "wrong" : ""}`}>
      <label for={id}>{label}</label>
      {rows ? <textarea {...shared} rows={rows} /> : <input type="text" inputMode={mode} {...shared} />}
      {(hint || error) && <p id={`${id}-hint`} class="hint">{error ?? hint}</p>}
    </div>
  );
}

export function Choice({ label, value, options, onChange, hint, isInline }: { label: string; value: string; options: [value: string, text: string][]; onChange: (value: string) => void; hint?: string; isInline?: boolean }) {
  const id = useId();
  return (
    <div class={`field ${isInline ? "inline" : ""}`}>
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={event => onChange((event.target as HTMLSelectElement).value)}>
        {options.map(([v, text]) => <option key={v} value={v}>{text}</option>)}
      </select>
      {hint && <p class="hint">{hint}</p>}
    </div>
  );
}

export function Reason({ value, onInput, isFirst }: { value: string; onInput: (value: string) => void; isFirst?: boolean }) {
  return <TextField label={t.act.reason} hint={t.act.reasonHint} value={value} onInput={onInput} isFirst={isFirst} max={1000} />;
}

/** A few choices next to each other, one of them pressed. */
export function Segments<T extends string>({ name, value, options, onChange }: { name: string; value: T | undefined; options: [T, string][]; onChange: (value: T) => void }) {
  return (
    <div class="segments" role="group" aria-label={name}>
      {options.map(([v, text]) => <button key={v} type="button" aria-pressed={v === value} onClick={() => onChange(v)}>{text}</button>)}
    </div>
  );
}
