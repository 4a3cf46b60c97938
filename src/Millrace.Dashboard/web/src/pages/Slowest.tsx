import { useEffect, useState } from "preact/hooks";
import { ApiError, get } from "../api/client.ts";
import type { Slowest as SlowestRuns } from "../api/slowest.ts";
import { count } from "../pure/number.ts";
import { joined } from "../pure/slowest.ts";
import { duration } from "../pure/time.ts";
import { link, path } from "../router.ts";
import { t } from "../text.ts";
import { Segments } from "../ui/Fields.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Button, Empty, Panel, ProblemNote } from "../ui/Parts.tsx";
import { Ago, At, OutcomeMark, Text } from "../ui/Words.tsx";

const spans: ["1" | "24", string][] = [["1", "1h"], ["24", "24h"]];
// Then whoever waits is asked whether to search further.
const longestSearchInMs = 1_500;

/** The runs of a type that took longest. Not live: it is a search through the history, a moment at a time. */
export function Slowest({ type }: { type: string }) {
  const [hours, setHours] = useState<"1" | "24">("24");
  const [found, setFound] = useState<SlowestRuns>();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(true);

  const search = async (from: SlowestRuns | undefined, isHere: () => boolean) => {
    setBusy(true);
    const began = Date.now();
    try {
      for (let all = from; isHere();) {
        const { value } = await get<SlowestRuns>(link(`${path("types", type)}/slowest`, { hours, before: all?.next?.jobId, beforeRun: all?.next && String(all.next.run) }));
        if (!value || !isHere()) break;
        setFound(all = joined(all, value));
        setError(undefined);
        if (!all.next || Date.now() - began > longestSearchInMs) break;
      }
    } catch (failure) {
      if (failure instanceof ApiError && isHere()) setError(failure);
    }
    if (isHere()) setBusy(false);
  };
  useEffect(() => {
    let isHere = true;
    setFound(undefined);
    void search(undefined, () => isHere);
    return () => { isHere = false; };
  }, [type, hours]);

  return (
    <Panel title={t.types.slowest} aside={<Segments name={t.types.within} value={hours} options={spans} onChange={setHours} />}>
      {error && <ProblemNote error={error} />}
      {found && found.runs.length > 0 && <SlowTable runs={found.runs} />}
      {found && found.runs.length === 0 && !found.next && <Empty text={t.types.noRuns} />}
      {!found && !error && <div class="empty muted" role="status">{t.shell.loading}…</div>}
      {found?.next && (
        <div class="note">
          <Icon name="notice" /><span>{t.types.searched(count(found.examined))}{found.reached && <> {t.types.backTo} <At iso={found.reached} /></>}.</span>
          <Button isBusy={isBusy} onClick={() => void search(found, () => true)}>{t.types.further}</Button>
        </div>
      )}
    </Panel>
  );
}

function SlowTable({ runs }: { runs: SlowestRuns["runs"] }) {
  return (
    <table>
      <caption class="visually-hidden">{t.types.slowest}</caption>
      <thead>
        <tr>
          <th scope="col">{t.jobs.job}</th>
          <th scope="col">{t.types.outcome}</th>
          <th scope="col" class="number c2">{t.jobs.attempt}</th>
          <th scope="col" class="number c2">{t.types.started}</th>
          <th scope="col" class="number">{t.jobs.took}</th>
        </tr>
      </thead>
      <tbody>{runs.map(r => (
        <tr key={`${r.jobId}.${r.run}`}>
          <th scope="row"><a href={path("jobs", r.jobId)}>{r.jobId}</a>{r.tag && <span class="tag"><Text value={r.tag} /></span>}</th>
          <td><OutcomeMark outcome={r.outcome} /></td>
          <td class="number c2">{r.attempt}</td>
          <td class="number c2"><Ago iso={r.started} /></td>
          <td class="number">{duration(r.tookMs)}</td>
        </tr>
      ))}</tbody>
    </table>
  );
}
