import { render } from "preact";
import { effect } from "@preact/signals";
import calm from "./styles/calm.svg";
import alarm from "./styles/alarm.svg";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/tables.css";
import "./styles/pages.css";
import { start as startLive } from "./api/live.ts";
import { Activity } from "./pages/Activity.tsx";
import { Failures } from "./pages/Failures.tsx";
import { Job } from "./pages/job/Job.tsx";
import { Jobs } from "./pages/jobs/Jobs.tsx";
import { Overview } from "./pages/Overview.tsx";
import { QueuePage, Queues } from "./pages/Queues.tsx";
import { SchedulePage, Schedules } from "./pages/Schedules.tsx";
import { System } from "./pages/System.tsx";
import { TypePage, Types } from "./pages/Types.tsx";
import { Workers } from "./pages/Workers.tsx";
import { segments, start as startRouter } from "./router.ts";
import { start as startKeys } from "./state/keys.ts";
import { failed, load } from "./state/me.ts";
import { t } from "./text.ts";
import { DialogHost } from "./ui/Dialog.tsx";
import { Page } from "./ui/Page.tsx";
import { Empty } from "./ui/Parts.tsx";
import { Shell } from "./ui/Shell.tsx";
import { Toasts } from "./ui/Toasts.tsx";

/** The page of an address. The key makes another thing another page, so nothing of the last one shows through. */
function View() {
  const [page = "", name, ...more] = segments.value;
  if (more.length > 0) return <NotFound />;
  switch (page) {
    case "": return <Overview />;
    case "jobs": return name === undefined ? <Jobs /> : <Job key={name} id={name} />;
    case "queues": return name === undefined ? <Queues /> : <QueuePage key={name} name={name} />;
    case "schedules": return name === undefined ? <Schedules /> : <SchedulePage key={name} name={name} />;
    case "types": return name === undefined ? <Types /> : <TypePage key={name} name={name} />;
    default: return name !== undefined ? <NotFound /> : <Single page={page} />;
  }
}

function Single({ page }: { page: string }) {
  switch (page) {
    case "failures": return <Failures />;
    case "workers": return <Workers />;
    case "activity": return <Activity />;
    case "system": return <System />;
    default: return <NotFound />;
  }
}

function NotFound() {
  return <Page title={t.problem.notFound}><Empty text={t.problem.notFound}><a href="./">{t.pages.overview}</a></Empty></Page>;
}

function App() {
  return (
    <>
      <Shell><View /></Shell>
      <Toasts />
      <DialogHost />
    </>
  );
}

startRouter();
startKeys();
startLive();
void load();
effect(() => {
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (icon) icon.href = failed.value > 0 ? alarm : calm;
});
const root = document.getElementById("app");
if (root) render(<App />, root);
