import type { Explanation, JobRow } from "../../api/types.ts";
import { t } from "../../text.ts";
import { CopyButton } from "../../ui/Parts.tsx";
import { Ago, At, Text } from "../../ui/Words.tsx";

/** Commands come without the name of the tool. */
function commandOf(words: string): string {
  return words.startsWith("millrace ") ? words : `millrace ${words}`;
}

/** Why a job is where it is, when it goes on, and what to do about it. */
export function Why({ explanation, row }: { explanation?: Explanation; row: JobRow }) {
  // An answer about a state that is over says the wrong thing: better nothing until the next one.
  if (!explanation || explanation.state !== row.state) return <div class={`why s-${row.state} pending`} />;
  return (
    <section class={`why s-${row.state}`} aria-label={t.job.why} id="why" tabIndex={-1}>
      <p class="headline"><Text value={explanation.headline} /></p>
      {explanation.reasons.length > 0 && <ul class="reasons">{explanation.reasons.map(r => <li key={r.code + r.text}><Text value={r.text} /></li>)}</ul>}
      {explanation.wouldRunAt && <p>{t.job.wouldRun} <At iso={explanation.wouldRunAt} /> <span class="muted">(<Ago iso={explanation.wouldRunAt} />)</span></p>}
      {explanation.advice.length > 0 && (
        <div class="advice">
          <h2 class="small">{t.job.advice}</h2>
          <ul>{explanation.advice.map(a => <li key={a.text}><Text value={a.text} />{a.command && <span class="command"><code><Text value={commandOf(a.command)} /></code><CopyButton text={commandOf(a.command)} /></span>}</li>)}</ul>
        </div>
      )}
    </section>
  );
}
