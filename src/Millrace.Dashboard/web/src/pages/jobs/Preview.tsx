import { useQuery } from "../../api/query.ts";
import type { Explanation, JobDetail, JobRow } from "../../api/types.ts";
import { path } from "../../router.ts";
import { t } from "../../text.ts";
import { IconButton, Loaded } from "../../ui/Parts.tsx";
import { JsonView } from "../../ui/JsonTree.tsx";
import { StateMark, Text } from "../../ui/Words.tsx";
import { Actions } from "../job/Actions.tsx";
import { ErrorText } from "../job/ErrorText.tsx";
import { everyMsOf } from "../job/Job.tsx";
import { Why } from "../job/Why.tsx";
import { JobFacts } from "../job/JobFacts.tsx";

/** The chosen job beside the list: enough to decide what to do with it. */
export function Preview({ row, onClose }: { row?: JobRow; onClose: () => void }) {
  const address = row ? path("jobs", row.id) : undefined;
  const job = useQuery<JobDetail>(address);
  const why = useQuery<Explanation>(address && `${address}/explain`, { everyMs: everyMsOf(job.data.value?.row.state) });
  return (
    <aside class="pane" aria-label={t.jobs.preview}>
      <header>
        {row && <StateMark state={job.data.value?.row.state ?? row.state} />}
        {row && address && <a href={address} class="pane-title"><Text value={row.type} class="strong" /> <span class="id">{row.id}</span></a>}
        <span class="spring" />
        <IconButton icon="close" name={t.shell.close} onClick={onClose} />
      </header>
      {!row && <p class="muted">{t.jobs.noPreview}</p>}
      {row && (
        <Loaded query={job}>{detail => (
          <>
            <Why explanation={why.data.value} row={detail.row} />
            <Actions job={detail} />
            {detail.error && <ErrorText error={detail.error} />}
            <h2 class="small">{t.job.tabs.data}</h2>
            <JsonView text={detail.data} name={t.job.tabs.data} />
            <JobFacts job={detail} />
          </>
        )}</Loaded>
      )}
    </aside>
  );
}
