import { useState } from "preact/hooks";
import { actOnMany } from "../act/bulk.tsx";
import { now } from "../api/live.ts";
import { useQuery } from "../api/query.ts";
import type { Deployment, FailureGroup, Failures as FailureList } from "../api/types.ts";
import { millrace } from "../pure/commands.ts";
import { count } from "../pure/number.ts";
import { visible } from "../pure/visible.ts";
import { goQuery, link, path, place } from "../router.ts";
import { may } from "../state/me.ts";
import { t } from "../text.ts";
import { Segments } from "../ui/Fields.tsx";
import { Icon } from "../ui/Icon.tsx";
import { Page } from "../ui/Page.tsx";
import { Button, Empty, Loaded, Panel } from "../ui/Parts.tsx";
import { Spark } from "../ui/Spark.tsx";
import { Ago, Text } from "../ui/Words.tsx";
import { ErrorText } from "./job/ErrorText.tsx";

const hours: [string, string][] = [["1", "1h"], ["6", "6h"], ["24", "24h"], ["168", "7d"]];

/** Errors of one kind together: what broke, how often, since when, and how to run it again. */
export function Failures() {
  const within = hours.find(([h]) => h === place.value.query.get("hours"))?.[0] ?? "24";
  const address = link("failures", { hours: within });
  const failures = useQuery<FailureList>(address, { everyMs: 3_000 });
  return (
    <Page title={t.pages.failures} api={address} cli={millrace("failures", "--since", `${within}h`)} aside={<Segments name={t.failures.hours} value={within} options={hours} onChange={h => goQuery({ hours: h === "24" ? undefined : h })} />}>
      <p class="lead">{t.failures.lead}</p>
      <Loaded query={failures}>{({ groups, isPartial, deployments }) => (
        <Panel>
          {isPartial && <p class="note"><Icon name="notice" />{t.failures.partial}</p>}
          {groups.length > 0 ? <FailureTable groups={groups} deployments={deployments} /> : <Empty text={t.failures.none} />}
        </Panel>
      )}</Loaded>
    </Page>
  );
}

export function FailureTable({ groups, deployments }: { groups: FailureGroup[]; deployments: Deployment[] }) {
  const [open, setOpen] = useState<string>();
  return (
    <table class="failures">
      <caption class="visually-hidden">{t.pages.failures}</caption>
      <thead>
        <tr>
          <th scope="col">{t.failures.cause}</th>
          <th scope="col" class="number">{t.failures.count}</th>
          <th scope="col" class="number c2">{t.failures.jobs}</th>
          <th scope="col" class="number c2">{t.failures.first}</th>
          <th scope="col" class="number">{t.failures.last}</th>
          <th scope="col" class="c2">{t.failures.trend}</th>
          <th scope="col"><span class="visually-hidden">{t.failures.retry}</span></th>
        </tr>
      </thead>
      <tbody>{groups.map(g => <Group key={g.fingerprint} group={g} newest={deployments.at(-1)} isOpen={open === g.fingerprint} onToggle={() => setOpen(open === g.fingerprint ? undefined : g.fingerprint)} />)}</tbody>
    </table>
  );
}

function Group({ group, newest, isOpen, onToggle }: { group: FailureGroup; newest?: Deployment; isOpen: boolean; onToggle: () => void }) {
  // It has not been seen before the version that runs now.
  const since = newest && group.first >= newest.at ? newest.version : undefined;
  const isNew = now.value - Date.parse(group.first) < 3_600_000;
  const id = `sample-${group.fingerprint}`;
  return (
    <>
      <tr class={isOpen ? "open" : ""}>
        <td class="cause"><div>
          <button type="button" class="disclose" aria-expanded={isOpen} aria-controls={id} aria-label={t.failures.expand(visible(group.title))} onClick={onToggle}><Icon name="next" /></button>
          <span class="cause-text"><a href={path("jobs", group.sampleJob)} class="error-text"><Text value={group.title} /></a>{(isNew || since !== undefined) && <span class="badge loud">{since === undefined ? t.failures.isNew : t.failures.isNewSince(visible(since))}</span>}
            <span class="cause-type"><a href={path("types", group.type)}><Text value={group.type} /></a></span></span>
        </div></td>
        <td class="number"><a href={link("jobs", { q: group.filter })}>{count(group.count)}</a></td>
        <td class="number c2"><a href={link("jobs", { q: group.filter })}>{count(group.jobs)}</a></td>
        <td class="number c2"><Ago iso={group.first} /></td>
        <td class="number"><Ago iso={group.last} /></td>
        <td class="c2"><Spark values={group.trend} name={t.failures.trendOf(group.trend)} /></td>
        <td class="right">{may("operate") && <Button icon="retry" onClick={() => actOnMany("retry", { q: group.filter })}>{t.failures.retry}</Button>}</td>
      </tr>
      {isOpen && (
        <tr class="expanded" id={id}>
          <td colSpan={7}><ErrorText error={group.sample} /><p class="links"><a href={path("jobs", group.sampleJob)}>{t.job.title(group.sampleJob)}</a></p></td>
        </tr>
      )}
    </>
  );
}
