import { useQuery } from "../api/query.ts";
import type { Setting, SettingGroup, Settings as SettingList } from "../api/settings.ts";
import { plural } from "../pure/number.ts";
import { t } from "../text.ts";
import { Empty, Loaded, Panel } from "../ui/Parts.tsx";
import { Text } from "../ui/Words.tsx";

/** What is set, in this dashboard and in the processes that say so, and by whom. */
export function Settings() {
  const settings = useQuery<SettingList>("settings", { everyMs: 15_000 });
  return (
    <Panel title={t.settings.title}>
      <Loaded query={settings}>{data => <>{data.groups.map((group, i) => <Group key={i} group={group} isOpen={i === 0} />)}</>}</Loaded>
    </Panel>
  );
}

function Group({ group, isOpen }: { group: SettingGroup; isOpen: boolean }) {
  const set = group.settings.filter(s => s.source !== "default").length;
  return (
    <details class="settings" open={isOpen}>
      <summary>
        {group.of === "dashboard" ? t.settings.dashboard : <>{group.application ? <Text value={group.application} /> : t.settings.workers} <span class="muted">{plural(group.nodes, t.settings.process, t.settings.processes)}</span></>}
        <span class="muted"> · {t.settings.set(set, group.settings.length)}</span>
      </summary>
      {group.names.length > 0 && <p class="muted">{group.names.map((name, i) => <>{i > 0 && ", "}<Text value={name} /></>)}{group.nodes > group.names.length && <> {t.workers.andMore(group.nodes - group.names.length)}</>}</p>}
      {group.settings.length === 0 ? <Empty text={t.settings.none} /> : (
        <table>
          <caption class="visually-hidden">{t.settings.title}</caption>
          <thead><tr><th scope="col">{t.settings.name}</th><th scope="col">{t.settings.value}</th><th scope="col">{t.settings.source}</th></tr></thead>
          <tbody>{group.settings.map(s => <Row key={s.name} setting={s} />)}</tbody>
        </table>
      )}
    </details>
  );
}

function Row({ setting }: { setting: Setting }) {
  return (
    <tr>
      <th scope="row" class="mono"><Text value={setting.name} /></th>
      <td class={`mono names ${setting.source === "default" ? "muted" : ""}`}><Text value={setting.value} /></td>
      <td class={setting.source === "default" ? "muted" : ""}>{t.settings.sources[setting.source]}</td>
    </tr>
  );
}
