import type { BulkAction, JobAction, JobDetail } from "../../api/types.ts";
import { act } from "../../act/single.tsx";
import { rerunOf } from "../../act/submit.tsx";
import { useKeys } from "../../state/keys.ts";
import { may } from "../../state/me.ts";
import { t } from "../../text.ts";
import { Button } from "../../ui/Parts.tsx";
import { actionIcons } from "../jobs/icons.ts";

const order: JobAction[] = ["retry", "run-now", "reprioritise", "rerun", "cancel", "delete"];

/** What may be done with a job in its state, by this user. The server says which; each carries the version that is shown. */
export function Actions({ job, hasKeys }: { job: JobDetail; hasKeys?: boolean }) {
  const can = (action: JobAction) => may(action === "rerun" ? "submit" : "operate") && job.actions.includes(action);
  const run = (action: JobAction) => action === "rerun" ? rerunOf(job) : act(action as BulkAction, job.row, job.version);
  useKeys(hasKeys ? { r: can("retry") ? () => run("retry") : undefined, c: can("cancel") ? () => run("cancel") : undefined } : {});
  const all = order.filter(can);
  const hasFailed = job.row.state === "failed" || job.row.state === "retrying" || job.row.state === "quarantined";
  if (all.length === 0) return null;
  return (
    <div class="actions">
      {all.map(action => <Button key={action} icon={actionIcons[action]} kind={action === "delete" ? "danger" : action === "retry" && hasFailed ? "primary" : "plain"} onClick={() => run(action)}>{t.actions[action]}</Button>)}
    </div>
  );
}
