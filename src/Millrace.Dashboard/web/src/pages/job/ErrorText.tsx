import { folded, fresh } from "../../pure/stack.ts";
import { t } from "../../text.ts";
import { CopyButton } from "../../ui/Parts.tsx";
import { Text } from "../../ui/Words.tsx";

/** An error as a person reads it: the message first, own frames bright, frames of frameworks folded, what is new marked. */
export function ErrorText({ error, before, name = t.job.tabs.errors }: { error: string; before?: string; name?: string }) {
  const marks = fresh(error, before);
  return (
    <div class="error-box">
      <CopyButton text={error} />
      <div class="error-lines" tabIndex={0} role="region" aria-label={name}>
        {folded(error).map((group, i) => {
          const first = group[0];
          if (!first) return null;
          if (first.kind === "framework" && group.length > 1) {
            return <details key={i}><summary>{t.job.framesHidden(group.length)}</summary>{group.map((f, j) => <div key={j} class="frame framework"><Text value={f.text} /></div>)}</details>;
          }
          const isNew = marks.has(first.text);
          return <div key={i} class={`frame ${first.kind} ${isNew ? "new" : ""}`} title={isNew ? t.job.newLine : undefined}><Text value={first.text} /></div>;
        })}
      </div>
    </div>
  );
}
