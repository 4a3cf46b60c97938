import type { Attempt } from "../../api/types.ts";
import { fresh } from "../../pure/stack.ts";
import { t } from "../../text.ts";
import { Empty } from "../../ui/Parts.tsx";
import { At, OutcomeMark } from "../../ui/Words.tsx";
import { ErrorText } from "./ErrorText.tsx";

/** The error of each attempt, latest first, against the one before. */
export function Errors({ attempts }: { attempts: Attempt[] }) {
  const withError = attempts.filter(a => a.error !== undefined).sort((a, b) => a.run - b.run);
  if (withError.length === 0) return <Empty text={t.job.noErrors} />;
  return (
    <div class="errors">
      {withError.map((a, i) => {
        const before = withError[i - 1];
        const isSame = before !== undefined && fresh(a.error ?? "", before.error).size === 0;
        const isLatest = i === withError.length - 1;
        return (
          <article key={a.run}>
            <header><OutcomeMark outcome={a.outcome} /><b>{t.job.attempt(a.attempt)}</b><span class="muted"><At iso={a.finished} /></span></header>
            {isSame && !isLatest ? <p class="muted">{t.job.sameAs(before.attempt)}</p> : <ErrorText error={a.error ?? ""} before={before?.error} name={`${t.job.tabs.errors}, ${t.job.attempt(a.attempt)}`} />}
            {isSame && isLatest && <p class="muted">{t.job.sameAs(before.attempt)}</p>}
          </article>
        );
      }).reverse()}
    </div>
  );
}
