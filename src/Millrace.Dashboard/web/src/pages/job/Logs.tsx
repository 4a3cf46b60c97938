import { useEffect, useRef, useState } from "preact/hooks";
import { effect, untracked } from "@preact/signals";
import { ApiError, get } from "../../api/client.ts";
import { pulse } from "../../api/live.ts";
import type { JobRow, Level, LogLine, LogPage } from "../../api/types.ts";
import { clock } from "../../pure/time.ts";
import { goQuery, link, path, place } from "../../router.ts";
import { zone } from "../../state/settings.ts";
import { t } from "../../text.ts";
import { Choice } from "../../ui/Fields.tsx";
import { JsonView } from "../../ui/JsonTree.tsx";
import { Button, Empty, ProblemNote } from "../../ui/Parts.tsx";
import { Text } from "../../ui/Words.tsx";

const levels: Level[] = ["trace", "debug", "information", "warning", "error", "critical"];
const page = 200;
// More lines than a person reads would only make the page slow.
const most = 5_000;

/** What the attempts logged. New lines are added at the end while the job runs. */
export function Logs({ row }: { row: JobRow }) {
  const [lines, setLines] = useState<LogLine[]>([]);
  const [hasMore, setMore] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [isLoaded, setLoaded] = useState(false);
  const position = useRef<{ run: number; line: number } | undefined>(undefined);
  const isBusy = useRef(false);
  const query = place.value.query;
  const level = (query.get("level") ?? "trace") as Level, run = query.get("run") ?? "";

  const load = async () => {
    if (isBusy.current) return;
    isBusy.current = true;
    try {
      const at = position.current;
      const { value } = await get<LogPage>(link(`${path("jobs", row.id)}/logs`, { afterRun: at && String(at.run), afterLine: at && String(at.line), limit: String(page) }));
      const last = value?.lines.at(-1);
      if (value && last) {
        position.current = { run: last.run, line: last.line };
        setLines(old => [...old, ...value.lines].slice(-most));
      }
      setMore(value?.next !== undefined);
      setError(undefined);
    } catch (failure) {
      if (failure instanceof ApiError) setError(failure);
    }
    setLoaded(true);
    isBusy.current = false;
  };
  useEffect(() => {
    void load();
    const first = pulse.peek();
    return effect(() => { if (pulse.value !== first) untracked(() => void load()); });
  }, [row.id]);

  const least = Math.max(0, levels.indexOf(level));
  const shown = lines.filter(l => levels.indexOf(l.level) >= least && (run === "" || String(l.run) === run));
  const runs = [...new Set(lines.map(l => l.run))];
  if (error && lines.length === 0) return <ProblemNote error={error} />;
  if (isLoaded && lines.length === 0) return <Empty text={t.job.noLogs} />;
  return (
    <div class="logs">
      <div class="log-tools">
        <Choice isInline label={t.job.level} value={level} options={levels.map((l, i) => [l, i === 0 ? t.job.anyLevel : i === levels.length - 1 ? t.levels[l] : `${t.levels[l]} ${t.job.atLeast}`])} onChange={value => goQuery({ level: value === "trace" ? undefined : value })} />
        {runs.length > 1 && <Choice isInline label={t.job.run} value={run} options={[["", t.job.anyRun], ...runs.map(r => [String(r), String(r)] as [string, string])]} onChange={value => goQuery({ run: value || undefined })} />}
        {row.state === "running" && <span class="muted">{t.job.tail}</span>}
      </div>
      <div class="log-lines" role="log" aria-label={t.job.logsOf} tabIndex={0}>
        {shown.map(l => <Line key={`${l.run}.${l.line}`} line={l} />)}
      </div>
      {hasMore && <div class="more"><Button onClick={() => void load()}>{t.job.moreLogs}</Button></div>}
    </div>
  );
}

function Line({ line }: { line: LogLine }) {
  const head = (
    <>
      <time dateTime={line.at} title={line.at}>{clock(line.at, zone.value)}</time>
      <span class={`level l-${line.level}`}>{t.levels[line.level] ?? line.level}</span>
      <Text value={line.message} class="log-message" />
      <span class="muted log-category"><Text value={line.category} /></span>
    </>
  );
  if (!line.properties && !line.exception) return <div class="log-line">{head}</div>;
  return (
    <details class="log-line has-more">
      <summary>{head}</summary>
      {line.exception && <pre class="error-text"><Text value={line.exception} /></pre>}
      {line.properties && <JsonView text={line.properties} name={line.message} />}
    </details>
  );
}
