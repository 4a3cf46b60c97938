import { useState } from "preact/hooks";
import { post } from "../api/client.ts";
import { beat } from "../api/live.ts";
import { useQuery } from "../api/query.ts";
import type { JobDetail, JobType } from "../api/types.ts";
import { prettyText } from "../pure/json.ts";
import { fieldsOf, isJson, toJson, valuesFrom, type Field } from "../pure/schema.ts";
import { parseDuration } from "../pure/time.ts";
import { path } from "../router.ts";
import { explain, toast } from "../state/toasts.ts";
import { close, Dialog, DialogForm, show } from "../ui/Dialog.tsx";
import { Choice, Reason, Segments, TextField } from "../ui/Fields.tsx";
import { t } from "../text.ts";

/** A new job of a known type, by form or as JSON. */
export function submitOf(type: string): void {
  show(() => <SubmitDialog type={type} />);
}

/** A new job with the data of another one, changed. */
export function rerunOf(job: JobDetail): void {
  show(() => <SubmitDialog type={job.row.type} job={job} />);
}

function SubmitDialog({ type, job }: { type: string; job?: JobDetail }) {
  const known = useQuery<JobType>(path("types", type), { isLive: false });
  const schema = known.data.value?.schema;
  const isSettled = known.data.value !== undefined || known.error.value !== undefined;
  return (
    <Dialog title={job ? t.form.edit(type) : t.form.submit(type)} onClose={close} class="wide">
      {isSettled ? <SubmitForm type={type} job={job} fields={fieldsOf(schema)} /> : <p class="muted" role="status">{t.shell.loading}…</p>}
    </Dialog>
  );
}

function SubmitForm({ type, job, fields }: { type: string; job?: JobDetail; fields: Field[] }) {
  const [mode, setMode] = useState<"form" | "text">(fields.length > 0 ? "form" : "text");
  const [values, setValues] = useState(() => valuesFrom(fields, job?.data));
  const [text, setText] = useState(() => {
    if (job) return prettyText(job.data);
    const made = toJson(fields, valuesFrom(fields, undefined));
    return "json" in made ? prettyText(made.json) : "{}";
  });
  const [more, setMore] = useState({ queue: "", tag: "", delay: "", reason: "" });
  const [wrong, setWrong] = useState<{ field: string; message: string }>();
  const [isBusy, setBusy] = useState(false);

  const change = (to: "form" | "text") => {
    if (to === "text") {
      const made = toJson(fields, values);
      if ("json" in made) setText(prettyText(made.json));
    } else setValues(valuesFrom(fields, text));
    setWrong(undefined);
    setMode(to);
  };

  const send = async () => {
    const made = mode === "form" ? toJson(fields, values) : isJson(text) ? { json: text } : { field: "$data", message: t.form.invalidJson };
    if ("field" in made) { setWrong(made); return; }
    const delayMs = more.delay.trim() === "" ? undefined : parseDuration(more.delay);
    if (more.delay.trim() !== "" && delayMs === undefined) { setWrong({ field: "$delay", message: t.form.invalidDelay }); return; }
    setBusy(true);
    try {
      const reason = more.reason.trim() || undefined;
      const answer = job
        ? await post<{ id: string; outcome: string }>(`${path("jobs", job.row.id)}/rerun`, { data: made.json, reason })
        : await post<{ id: string; outcome: string }>("jobs", { type, data: made.json, queue: more.queue.trim() || undefined, tag: more.tag.trim() || undefined, delayMs, reason });
      close();
      toast(answer.outcome === "kept" ? t.form.kept(answer.id) : t.form.done(answer.id), { link: { href: path("jobs", answer.id), text: t.form.open } });
      beat();
    } catch (error) {
      setWrong({ field: "$all", message: explain(error) });
      setBusy(false);
    }
  };

  return (
    <DialogForm confirm={t.form.run} isBusy={isBusy} onClose={close} onConfirm={() => void send()}>
      {wrong?.field === "$all" && <p class="note error" role="alert">{wrong.message}</p>}
      {job && <p class="muted">{t.form.editHint}{job.data.includes("•••• redacted") && ` ${t.form.hidden}`}</p>}
      {fields.length > 0 && <Segments name={t.form.data} value={mode} options={[["form", t.form.form], ["text", t.form.text]]} onChange={change} />}
      {mode === "form"
        ? fields.map((f, i) => <SchemaField key={f.name} field={f} value={values[f.name] ?? ""} isFirst={i === 0} error={wrong?.field === f.name ? wrong.message : undefined} onInput={v => setValues({ ...values, [f.name]: v })} />)
        : <TextField label={t.form.data} value={text} onInput={setText} rows={10} isMono isFirst error={wrong?.field === "$data" ? wrong.message : undefined} />}
      {!job && (
        <div class="columns">
          <TextField label={t.form.queue} hint={t.form.queueHint} value={more.queue} onInput={queue => setMore({ ...more, queue })} />
          <TextField label={t.form.tag} value={more.tag} onInput={tag => setMore({ ...more, tag })} />
          <TextField label={t.form.delay} hint={t.form.delayHint} value={more.delay} error={wrong?.field === "$delay" ? wrong.message : undefined} onInput={delay => setMore({ ...more, delay })} />
        </div>
      )}
      <Reason value={more.reason} onInput={reason => setMore({ ...more, reason })} />
    </DialogForm>
  );
}

function SchemaField({ field, value, onInput, error, isFirst }: { field: Field; value: string; onInput: (value: string) => void; error?: string; isFirst: boolean }) {
  const label = field.isRequired ? field.name : `${field.name} (${t.form.optional})`;
  if (field.kind === "flag") return <Choice label={label} value={value} hint={field.description} options={[["true", t.form.yes], ["false", t.form.no]]} onChange={onInput} />;
  if (field.kind === "choice") {
    const options = (field.choices ?? []).map(c => [c, c] as [string, string]);
    return <Choice label={label} value={value} hint={field.description} options={field.isRequired ? options : [["", "–"], ...options]} onChange={onInput} />;
  }
  return (
    <TextField
      label={label} value={value} onInput={onInput} error={error} isFirst={isFirst} hint={field.description ?? (field.kind === "json" ? t.form.text : undefined)}
      rows={field.kind === "json" ? 4 : undefined} isMono={field.kind !== "text"} mode={field.kind === "integer" ? "numeric" : field.kind === "number" ? "decimal" : "text"}
    />
  );
}
