import { useState } from "preact/hooks";
import { get } from "../api/client.ts";
import { useQuery } from "../api/query.ts";
import type { Operation } from "../api/types.ts";
import { millrace } from "../pure/commands.ts";
import { link } from "../router.ts";
import { complain } from "../state/toasts.ts";
import { t } from "../text.ts";
import { Page } from "../ui/Page.tsx";
import { Button, Empty, Loaded, Panel } from "../ui/Parts.tsx";
import { Operations } from "./Operations.tsx";

interface Audit {
  operations: Operation[];
  next?: string;
}

export function Activity() {
  const audit = useQuery<Audit>("audit?limit=50");
  const [older, setOlder] = useState<Audit>();
  const more = (next: string) => get<Audit>(link("audit", { before: next, limit: "50" })).then(
    ({ value }) => { if (value) setOlder({ operations: [...(older?.operations ?? []), ...value.operations], next: value.next }); }, complain);
  return (
    <Page title={t.pages.activity} api="audit" cli={millrace("audit")}>
      <Loaded query={audit}>{data => {
        const ids = new Set(data.operations.map(o => o.id));
        const all = [...data.operations, ...(older?.operations ?? []).filter(o => !ids.has(o.id))];
        const next = older ? older.next : data.next;
        return (
          <Panel>
            {all.length > 0 ? <Operations operations={all} name={t.pages.activity} /> : <Empty text={t.activity.none} />}
            {next && <div class="more"><Button onClick={() => void more(next)}>{t.activity.more}</Button></div>}
          </Panel>
        );
      }}</Loaded>
    </Page>
  );
}
