import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ApiError } from "../api/client.ts";
import type { Query } from "../api/query.ts";
import { explain, toast } from "../state/toasts.ts";
import { t } from "../text.ts";
import { Icon, type IconName } from "./Icon.tsx";

interface ButtonProps {
  children: ComponentChildren;
  icon?: IconName;
  kind?: "plain" | "primary" | "danger" | "quiet";
  onClick: () => void;
  isBusy?: boolean;
  isDisabled?: boolean;
  title?: string;
  label?: string;
}

export function Button({ children, icon, kind = "plain", onClick, isBusy, isDisabled, title, label }: ButtonProps) {
  return (
    <button type="button" class={`button ${kind}`} onClick={onClick} disabled={isDisabled || isBusy} aria-busy={isBusy} title={title} aria-label={label}>
      {icon && <Icon name={icon} />}{children}
    </button>
  );
}

/** Only a drawing to press; its name is read and shown on hover. */
export function IconButton({ icon, name, onClick, isPressed }: { icon: IconName; name: string; onClick: () => void; isPressed?: boolean }) {
  return <button type="button" class="button icon-only" onClick={onClick} title={name} aria-label={name} aria-pressed={isPressed}><Icon name={icon} /></button>;
}

export function Panel({ title, aside, children, class: extra }: { title?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren; class?: string }) {
  return (
    <section class={`panel ${extra ?? ""}`}>
      {(title || aside) && <header><h2>{title}</h2>{aside && <div class="aside">{aside}</div>}</header>}
      {children}
    </section>
  );
}

export function Empty({ text, hint, children }: { text: string; hint?: string; children?: ComponentChildren }) {
  return <div class="empty"><p>{text}</p>{hint && <p class="muted">{hint}</p>}{children}</div>;
}

/** What a query has: its data, the first wait, or what went wrong before there was any. */
export function Loaded<T>({ query, children }: { query: Query<T>; children: (data: T) => ComponentChildren }) {
  const data = query.data.value;
  if (data !== undefined) return <>{children(data)}</>;
  const error = query.error.value;
  return error ? <ProblemNote error={error} /> : <div class="empty muted" role="status">{t.shell.loading}…</div>;
}

export function ProblemNote({ error }: { error: ApiError }) {
  const { status, code } = error.problem;
  const text = status === 404 ? t.problem.notFound : code === "database_busy" || code === "too_slow" ? t.problem.slow : explain(error);
  return <div class="note error" role="alert"><Icon name="error" /><span>{text}</span></div>;
}

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(t.copy.done);
  } catch {
    // Over plain http there is no clipboard; the older way still works.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "off-screen";
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    toast(isDone ? t.copy.done : t.copy.failed, { kind: isDone ? "done" : "problem" });
  }
}

export function CopyButton({ text, name = t.copy.text }: { text: string; name?: string }) {
  const [isDone, setDone] = useState(false);
  const copy = () => {
    void copyText(text).then(() => {
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    });
  };
  return <IconButton icon={isDone ? "tick" : "copy"} name={name} onClick={copy} />;
}

/** Members of a thing, as a list of terms. */
export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}
