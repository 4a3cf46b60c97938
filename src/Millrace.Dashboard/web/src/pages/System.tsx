import { useQuery } from "../api/query.ts";
import type { SystemInfo } from "../api/types.ts";
import { millrace } from "../pure/commands.ts";
import { count } from "../pure/number.ts";
import { t } from "../text.ts";
import { Page } from "../ui/Page.tsx";
import { Empty, Fact, Facts, Loaded, Panel } from "../ui/Parts.tsx";
import { Text } from "../ui/Words.tsx";
import { FindingLine } from "./Overview.tsx";
import { Settings } from "./Settings.tsx";

/** What the doctor says, and the figures it said it from. */
export function System() {
  const system = useQuery<SystemInfo>("system", { everyMs: 15_000 });
  return (
    <Page title={t.pages.system} api="system" cli={millrace("doctor")}>
      <Loaded query={system}>{data => (
        <>
          <Panel title={t.system.findings}>
            {data.findings.length > 0 ? <ul class="health in-panel">{data.findings.map(f => <FindingLine key={f.code + f.text} finding={f} />)}</ul> : <Empty text={t.system.none} />}
          </Panel>
          <Panel title={t.system.figures}>
            <Facts>
              <Fact name={t.system.version}><Text value={data.version} /></Fact>
              <Fact name={t.system.database}><Text value={data.server} /></Fact>
              <Fact name={t.system.schema}>{data.schemaVersion} <span class="muted">({t.system.known(String(data.knownVersion))})</span></Fact>
              {data.figures.map(f => <Fact key={f.name} name={f.name}>{typeof f.value === "number" ? count(f.value) : <Text value={f.value} />}</Fact>)}
            </Facts>
          </Panel>
        </>
      )}</Loaded>
      <Settings />
    </Page>
  );
}
