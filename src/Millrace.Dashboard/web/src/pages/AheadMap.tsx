import { useQuery } from "../api/query.ts";
import type { Ahead } from "../api/types.ts";
import { cells, crowded } from "../pure/ahead.ts";
import { clock } from "../pure/time.ts";
import { visible } from "../pure/visible.ts";
import { path } from "../router.ts";
import { zone } from "../state/settings.ts";
import { t } from "../text.ts";
import { Empty, Panel } from "../ui/Parts.tsx";
import { At, Text } from "../ui/Words.tsx";

const time = (iso: string) => clock(iso, zone.value).slice(0, 5);

/** The day to come, an hour a column and five minutes a cell: where schedules pile up. What is worth knowing of it stands below in words. */
export function AheadMap() {
  const data = useQuery<Ahead>("schedules/ahead", { everyMs: 60_000 }).data.value;
  if (!data || data.slots.length === 0) return null;
  const { columns, hours } = cells(data);
  const crowds = crowded(data);
  return (
    <Panel title={t.schedules.ahead} aside={data.isPartial && <span class="muted">{t.schedules.aheadPartial}</span>}>
      <div class="ahead" aria-hidden="true">
        {columns.map((column, i) => (
          <div key={i} class="ahead-hour">
            {column.map((cell, j) => {
              if (!cell) return <i key={j} class="past" />;
              const { slot } = cell;
              const title = slot ? t.schedules.slot(time(cell.at), slot.ticks, slot.schedules.map(visible), slot.more) : undefined;
              return <i key={j} class={`heat-${cell.level}`} title={title} />;
            })}
            <span>{i % 3 === 0 && i < 24 && time(hours[i] ?? data.from)}</span>
          </div>
        ))}
      </div>
      {crowds.length === 0 ? <Empty text={t.schedules.noCrowd} /> : (
        <ul class="crowds" aria-label={t.schedules.crowds}>
          {crowds.map(slot => (
            <li key={slot.at}>
              <At iso={slot.at} /> <b>{t.schedules.together(slot.schedules.length + slot.more)}</b>{" "}
              {slot.schedules.map((name, i) => <>{i > 0 && ", "}<a href={path("schedules", name)}><Text value={name} /></a></>)}{slot.more > 0 && <> {t.workers.andMore(slot.more)}</>}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
