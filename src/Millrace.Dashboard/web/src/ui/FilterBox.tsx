import { useEffect, useId, useRef, useState } from "preact/hooks";
import { get } from "../api/client.ts";
import { useQuery } from "../api/query.ts";
import type { FilterCheck, FilterWords } from "../api/types.ts";
import { accept, complete, type Completion } from "../pure/filter.ts";
import { useKeys } from "../state/keys.ts";
import { t } from "../text.ts";
import { Icon } from "./Icon.tsx";
import { IconButton } from "./Parts.tsx";
import { Text } from "./Words.tsx";

const debounceInMs = 250;

/** The filter of a list: completes words of this system, and shows where a filter stops making sense. */
export function FilterBox({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const [text, setText] = useState(value);
  const [cursor, setCursor] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const [check, setCheck] = useState<FilterCheck>({ isValid: true });
  const words = useQuery<FilterWords>("filter/words", { isLive: false }).data.value;
  const found = isOpen ? complete(text, cursor, words) : [];
  useKeys({ "/": () => { input.current?.focus(); input.current?.select(); } });

  // A link was followed: the box says what the list shows.
  useEffect(() => { setText(value); setCheck({ isValid: true }); }, [value]);

  // What is typed is checked by the one parser there is, and becomes the list's filter when it makes sense.
  useEffect(() => {
    if (text.trim() === value.trim()) { setCheck({ isValid: true }); return; }
    const left = new AbortController();
    const timer = setTimeout(() => {
      get<FilterCheck>(`filter?q=${encodeURIComponent(text.trim())}`, undefined, left.signal).then(({ value: answer }) => {
        if (!answer || left.signal.aborted) return;
        setCheck(answer);
        if (answer.isValid) onChange(text.trim());
      }, () => undefined);
    }, debounceInMs);
    return () => { clearTimeout(timer); left.abort(); };
  }, [text, value]);

  const type = (next: string, at: number) => { setText(next); setCursor(at); setOpen(true); setChosen(-1); };
  const take = (completion: Completion) => {
    const next = accept(text, completion);
    type(next.text, next.cursor);
    requestAnimationFrame(() => { input.current?.focus(); input.current?.setSelectionRange(next.cursor, next.cursor); });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) { setOpen(true); return; }
      const step = event.key === "ArrowDown" ? 1 : -1;
      setChosen(found.length === 0 ? -1 : chosen < 0 ? (step > 0 ? 0 : found.length - 1) : (chosen + step + found.length) % found.length);
    } else if ((event.key === "Enter" || event.key === "Tab") && isOpen && found[chosen]) {
      event.preventDefault();
      take(found[chosen]);
    } else if (event.key === "Enter") {
      setOpen(false);
      if (check.isValid) onChange(text.trim());
    } else if (event.key === "Escape") {
      if (isOpen && found.length > 0) setOpen(false);
      else input.current?.blur();
    }
  };
  const at = check.position ?? 0, length = Math.max(1, check.length ?? 1);
  return (
    <div class={`filter ${check.isValid ? "" : "wrong"}`} role="search">
      <Icon name="search" />
      <div class="filter-line">
        {!check.isValid && <div class="filter-marks" aria-hidden="true">{text.slice(0, at)}<mark>{text.slice(at, at + length).padEnd(1)}</mark>{text.slice(at + length)}</div>}
        <input
          ref={input} id={id} type="text" role="combobox" aria-label={t.jobs.filter} placeholder={t.jobs.filterHint} value={text} maxLength={200} spellcheck={false} autocomplete="off" autocapitalize="off"
          aria-expanded={found.length > 0} aria-controls={`${id}-list`} aria-autocomplete="list" aria-activedescendant={found[chosen] ? `${id}-${chosen}` : undefined}
          aria-invalid={!check.isValid} aria-describedby={check.isValid ? undefined : `${id}-wrong`}
          onInput={event => type(event.currentTarget.value, event.currentTarget.selectionStart ?? 0)}
          onKeyDown={onKeyDown} onBlur={() => setOpen(false)}
          onFocus={event => { setCursor(event.currentTarget.selectionStart ?? 0); }}
          onClick={event => { setCursor(event.currentTarget.selectionStart ?? 0); setOpen(true); }}
        />
      </div>
      {text !== "" && <IconButton icon="close" name={t.jobs.clear} onClick={() => { setText(""); onChange(""); input.current?.focus(); }} />}
      <ul id={`${id}-list`} class="layer completions" role="listbox" aria-label={t.jobs.completions} hidden={found.length === 0}>
        {found.map((c, i) => (
          <li key={c.label} id={`${id}-${i}`} role="option" aria-selected={i === chosen} onMouseDown={event => { event.preventDefault(); take(c); }}>
            <Text value={c.label} class="mono" />{c.hint && <span class="muted">{c.hint}</span>}
          </li>
        ))}
      </ul>
      {!check.isValid && <p id={`${id}-wrong`} class="filter-error" role="alert">{t.jobs.filterError(at + 1, check.message ?? "")}</p>}
    </div>
  );
}
