import { pauseSchedule, resumeSchedule, runSchedule } from "../act/things.tsx";
import { useQuery } from "../api/query.ts";
import type { JobList, Schedule } from "../api/types.ts";
import { millrace } from "../pure/commands.ts";
import { percent } from "../pure/number.ts";
import { path } from "../router.ts";
import { may } from "../state/me.ts";
import { t } from "../text.ts";
import { Icon } from "../ui/Icon.tsx";
import { Page } from "../ui/Page.tsx";
import { Button, Empty, Fact, Facts, Loaded, Panel } from "../ui/Parts.tsx";
import { Ago, At, Text } from "../ui/Words.tsx";
import { AheadMap } from "./AheadMap.tsx";
import { JobTable } from "./jobs/JobTable.tsx";
import { PauseNote } from "./Queues.tsx";
import { RunStrip } from "./RunStrip.tsx";

interface ScheduleList {
  schedules: Schedule[];
}

export function Schedules() {
  const schedules = useQuery<ScheduleList>("schedules");
  return (
    <Page title={t.pages.schedules} api="schedules" cli={millrace("schedules", "list")}>
      <Loaded query={schedules}>{data => (
        <Panel>
          {data.schedules.length === 0 ? <Empty text={t.schedules.none} /> : (
            <table class="schedules">
              <caption class="visually-hidden">{t.pages.schedules}</caption>
              <thead>
                <tr>
                  <th scope="col">{t.schedules.name}</th>
                  <th scope="col">{t.schedules.when}</th>
                  <th scope="col" class="number">{t.schedules.next}</th>
                  <th scope="col" class="c2">{t.schedules.last}</th>
                  <th scope="col"><span class="visually-hidden">{t.schedules.run}</span></th>
                </tr>
              </thead>
              <tbody>{data.schedules.map(s => <Row key={s.name} schedule={s} />)}</tbody>
            </table>
          )}
        </Panel>
      )}</Loaded>
      <AheadMap />
    </Page>
  );
}

function Row({ schedule }: { schedule: Schedule }) {
  return (
    <tr class="tall">
      <th scope="row">
        <a href={path("schedules", schedule.name)}><Text value={schedule.name} /></a>{schedule.pause && <span class="badge"><Icon name="pause" />{t.shell.mode.paused}</span>}
        {schedule.pause ? <PauseNote pause={schedule.pause} isSmall /> : <span class="sub"><Text value={schedule.type} /></span>}
      </th>
      <td><Text value={schedule.words} /><span class="sub mono"><Text value={schedule.cron} />{schedule.zone !== "UTC" && <> · <Text value={schedule.zone} /></>}</span></td>
      <td class="number">{schedule.nextDue && !schedule.pause ? <><Ago iso={schedule.nextDue} /><span class="sub"><At iso={schedule.nextDue} /></span></> : <span class="muted">–</span>}</td>
      <td class="c2"><RunStrip schedule={schedule.name} most={12} /></td>
      <td class="right"><Buttons schedule={schedule} /></td>
    </tr>
  );
}

function Buttons({ schedule }: { schedule: Schedule }) {
  if (!may("operate")) return null;
  return (
    <span class="buttons">
      <Button icon="play" onClick={() => runSchedule(schedule)}>{t.schedules.run}</Button>
      {schedule.pause
        ? <Button icon="play" onClick={() => resumeSchedule(schedule)}>{t.queues.resume}</Button>
        : <Button icon="pause" onClick={() => pauseSchedule(schedule)}>{t.queues.pause}</Button>}
    </span>
  );
}

export function SchedulePage({ name }: { name: string }) {
  const schedules = useQuery<ScheduleList>("schedules");
  const runs = useQuery<JobList>(`${path("schedules", name)}/runs?limit=50`);
  const schedule = schedules.data.value?.schedules.find(s => s.name === name);
  const ended = runs.data.value?.jobs.filter(j => j.state === "succeeded" || j.state === "failed") ?? [];
  return (
    <Page title={t.schedules.title(name)} heading={<Text value={name} />} api="schedules" cli={millrace("schedules", "show", name)} aside={schedule && <Buttons schedule={schedule} />}>
      {schedule?.pause && <PauseNote pause={schedule.pause} />}
      <Loaded query={schedules}>{() => schedule ? <Details schedule={schedule} /> : <Empty text={t.problem.notFound} />}</Loaded>
      <Panel title={t.schedules.runs} aside={ended.length > 0 && <span class="muted">{t.schedules.successRate(percent(ended.filter(j => j.state === "succeeded").length, ended.length))}</span>}>
        <Loaded query={runs}>{({ jobs }) => jobs.length > 0 ? <><div class="strip-box"><RunStrip schedule={name} most={50} /></div><JobTable rows={jobs} name={t.schedules.runs} /></> : <Empty text={t.schedules.noRuns} />}</Loaded>
      </Panel>
    </Page>
  );
}

function Details({ schedule }: { schedule: Schedule }) {
  return (
    <div class="pair">
      <Panel>
        <p class="headline"><Text value={schedule.words} /></p>
        <Facts>
          <Fact name={t.schedules.when}><Text value={schedule.cron} class="mono" /></Fact>
          <Fact name={t.schedules.zone}><Text value={schedule.zone} /></Fact>
          <Fact name={t.schedules.type}><a href={path("types", schedule.type)}><Text value={schedule.type} /></a></Fact>
          <Fact name={t.jobs.queue}><a href={path("queues", schedule.queue)}><Text value={schedule.queue} /></a></Fact>
          <Fact name={t.schedules.missed}><Text value={schedule.missedTicks} /></Fact>
          <Fact name={t.schedules.persistent}>{schedule.isPersistent ? t.form.yes : t.schedules.transient}</Fact>
          {schedule.lastTick && <Fact name={t.schedules.lastTick}><At iso={schedule.lastTick} /> <span class="muted"><Ago iso={schedule.lastTick} /></span></Fact>}
          <Fact name={t.schedules.created}><At iso={schedule.created} /></Fact>
        </Facts>
      </Panel>
      <Panel title={t.schedules.nextTicks}>
        {schedule.next.length === 0 ? <Empty text={t.schedules.noNext} /> : <ol class="ticks">{schedule.next.map(at => <li key={at}><At iso={at} /><span class="muted"><Ago iso={at} /></span></li>)}</ol>}
      </Panel>
    </div>
  );
}
