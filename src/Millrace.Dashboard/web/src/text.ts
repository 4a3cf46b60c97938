import { count, plural } from "./pure/number.ts";
import type { Setting } from "./api/settings.ts";
import type { BulkAction, Level, State } from "./api/types.ts";

const jobs = (value: number) => plural(value, "job");

/** Every word the application says. A translation is another object of the same type. */
export const t = {
  pages: {
    overview: "Overview", jobs: "Jobs", failures: "Failures", queues: "Queues", schedules: "Schedules",
    workers: "Workers", types: "Types", activity: "Activity", system: "System", more: "More",
  },
  states: {
    ready: "ready", scheduled: "scheduled", retrying: "retrying", waiting: "waiting", quarantined: "quarantined",
    running: "running", succeeded: "succeeded", failed: "failed", cancelled: "cancelled",
  } satisfies Record<State, string>,
  stateMeaning: {
    ready: "may run now", scheduled: "due later", retrying: "failed, will run again", waiting: "waits for something else",
    quarantined: "its process died too often; waits for a person", running: "a worker runs it", succeeded: "done",
    failed: "gave up", cancelled: "stopped on purpose",
  } satisfies Record<State, string>,
  outcomes: {
    succeeded: "succeeded", failed: "failed", snoozed: "snoozed", released: "given back", interrupted: "interrupted",
    discarded: "gave up", cancelled: "cancelled", replaced: "replaced", superseded: "superseded",
  },
  levels: { trace: "trace", debug: "debug", information: "info", warning: "warning", error: "error", critical: "critical" } satisfies Record<Level, string>,
  actions: { retry: "Retry", cancel: "Cancel", delete: "Delete", "run-now": "Run now", reprioritise: "Priority", rerun: "Edit and run" },
  kinds: {
    retry: "Retried", cancel: "Cancelled", delete: "Deleted", run_now: "Made due", reprioritise: "Reprioritised", rerun: "Ran again with other data",
    submit: "Submitted", pause_queue: "Paused", resume_queue: "Resumed", pause_schedule: "Paused", resume_schedule: "Resumed",
    run_schedule: "Ran out of turn", drain: "Drained", undrain: "Let go on", undo: "Undid", export: "Exported",
  } as Record<string, string>,

  shell: {
    skip: "Skip to content", nav: "Pages", search: "Search or jump", signedInAs: (name: string) => `Signed in as ${name}`, readOnly: "read-only",
    theme: { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" },
    zone: { local: "Times are local. Switch to UTC", utc: "Times are UTC. Switch to local" }, zoneWord: { local: "Local", utc: "UTC" },
    mode: { live: "live", polling: "polling", paused: "paused", connecting: "connecting", off: "off" },
    modeHint: {
      live: "Changes appear as they happen. Press to pause", polling: "The stream is silent: asking every 3 s. Press to pause",
      paused: "Nothing changes until you go on. Press to go on", connecting: "Opening the stream", off: "Nothing is asked any more",
    },
    keys: "Keys", close: "Close", dismiss: "Dismiss", loading: "Loading", retryNow: "Try now",
  },
  outage: {
    title: "No answer", since: (time: string) => `The server or its database does not answer since ${time}.`,
    kept: (time: string) => `What you see is as of ${time}.`, retrying: "Asking again every 3 s; this goes away by itself.",
    signedOut: "You are signed out.", signedOutMore: "What you see stays readable, and nothing is asked any more.", signIn: "Reload to sign in",
  },
  problem: {
    forbidden: (permission: string | undefined) => `You may not do this${permission ? `: it needs the permission “${permission}”` : ""}.`,
    notFound: "There is no such thing, or it has been removed meanwhile.",
    slow: "This took too long and was stopped. Narrow it down: a state, a type, or a time.",
  },
  copy: { menu: "Copy", menuWithFiles: "Copy, export", csv: "Export as CSV", ndjson: "Export as NDJSON", link: "Copy link", curl: "Copy as curl", cli: "Copy as millrace command", id: "Copy id", text: "Copy text", done: "Copied", failed: "The browser does not let this page copy" },

  overview: {
    allGood: "All good", allGoodMore: "no finding",
    findings: "Findings", ready: "Ready", running: "Running", oldest: "Oldest ready", done: "Done per minute", failed: "Failed in the last hour", workers: "Workers",
    workersOf: (alive: number, all: number) => `${count(alive)} of ${count(all)}`, none: "none",
    throughput: "Attempts", queues: "Queues", causes: "Failures by cause, last 24 hours", all: "All", noFailures: "Nothing failed in the last 24 hours.", noQueues: "No queue has been used yet.",
    firstJob: "No job has been submitted yet.", howFirst: "Submit one in code with jobs.SubmitAsync(new Welcome(…)), or from the page of a type.",
  },
  chart: {
    succeeded: "succeeded", failed: "failed for good", retried: "failed, retried", wait: "Wait before a run", run: "Run time", p50: "p50", p95: "p95", p99: "p99",
    range: "Range", reset: "Whole range", table: "Show as a table", at: "Time", brush: "Drag over the chart to zoom in",
    deployments: "Deployments", summary: (name: string, total: string, from: string, to: string) => `${name}: ${total}, from ${from} to ${to}.`, none: "No attempt ended in this time.", perBucket: (step: string) => `per ${step}`,
  },
  jobs: {
    all: "all", states: "States", list: "Jobs", filter: "Filter", filterHint: "type:indexFile state:failed finished>-1h data.path~doc", clear: "Clear the filter",
    completions: "Completions", filterError: (at: number, message: string) => `At character ${at}: ${message}`,
    state: "State", job: "Job", data: "Data", queue: "Queue", attempt: "Try", when: "When", took: "Took", select: "Select", selectOne: (id: string) => `Select job ${id}`, selectAll: "Select these",
    none: "No job matches.", noneHint: "Take a term out of the filter, or look at another state.", more: "Show more", newJobs: (n: number) => `${count(n)} new`, gone: "no longer matches",
    partial: "Only the newest jobs were searched, because this filter has no index. Add a state, a type or a time to reach further.",
    selected: (n: number) => `${jobs(n)} selected`, allMatching: "all matching jobs selected", chooseAll: "Select all matching", clearSelection: "Clear",
    preview: "Preview", openJob: "Open", last24h: "last 24 hours", due: "due", since: "since", progress: "Progress", noPreview: "Choose a job to see it here.", stateCount: (state: string, n: string) => `${state}: ${n}`,
  },
  job: {
    title: (id: string) => `Job ${id}`, type: "Type", tag: "Tag", user: "User", queue: "Queue", priority: "Priority", created: "Submitted", due: "Due", worker: "Worker", schedule: "Schedule", parent: "Parent", key: "Key",
    removed: "Removed", trace: "Trace", openTrace: "Open the trace", attempts: "Attempts", system: "system", policy: "Policy", headers: "Headers", cancelAsked: (by: string, reason: string) => `${by} asked it to stop${reason ? `: ${reason}` : "."}`, someone: "Somebody",
    why: "Why", advice: "What to do", wouldRun: "Would run about", timeline: "Timeline", wait: "waited", delay: "delayed", backoff: "backed off", run: "run", next: "next", attempt: (n: number) => `attempt ${n}`, uncharged: "not charged",
    tabs: { data: "Data", result: "Result", errors: "Errors", logs: "Logs", family: "Family", raw: "Raw", audit: "Audit" },
    noResult: "It has no result.", noErrors: "No attempt failed.", noLogs: "No line was logged.", noFamily: "No parent, no children.", noAudit: "Nobody has changed it.",
    children: "Children", sameTag: "Jobs of the same tag", sameType: "Jobs of the same type", sameAs: (n: number) => `The same error as attempt ${n}.`, framesHidden: (n: number) => plural(n, "framework frame"), newLine: "not in the attempt before",
    level: "Level", anyLevel: "all levels", anyRun: "all attempts", atLeast: "and above", tail: "New lines appear by themselves.", moreLogs: "Show more", logsOf: "Log lines",
    moved: "It moved meanwhile", movedMore: (state: string) => `The job is ${state} now, so nothing was done. What you see has been brought up to date.`, finishedMeanwhile: "It finished meanwhile",
    deleted: "Deleted. It can be brought back from Activity until it is removed.", progress: "Progress", took: "took", explain: "Explain",
  },
  act: {
    reason: "Reason", reasonHint: "Optional. Stands in Activity.", confirm: "Confirm", cancelDialog: "Back", send: "Send",
    cancelJob: (id: string) => `Cancel job ${id}?`, cancelJobMore: "A pending job will not run, and that can be undone for 15 minutes. A running one is asked to stop, which cannot be undone.",
    deleteJob: (id: string) => `Delete job ${id}?`, deleteJobMore: "It leaves every list at once. That can be undone for 15 minutes.",
    priorityJob: (id: string) => `Priority of job ${id}`, priority: "New priority", priorityHint: "Jobs with a smaller number run first. The usual one is 0.",
    bulk: (action: BulkAction, n: string) => ({ retry: `Retry ${n}?`, cancel: `Cancel ${n}?`, delete: `Delete ${n}?`, "run-now": `Run ${n} now?`, reprioritise: `Change the priority of ${n}?` })[action],
    jobs: (n: string) => `${n} ${n === "1" ? "job" : "jobs"}`, previewing: "Counting what this would touch…", nothing: "Nothing to do: no job that matches may be changed this way.",
    skipped: (n: number) => `${jobs(n)} ${n === 1 ? "matches" : "match"} and will be left alone, because their state does not allow it.`, byState: "By state", byType: "By type", byQueue: "By queue", samples: "For example",
    frozen: "Jobs submitted from now on are left out.", capped: "There are more than were counted.", typeNumber: (n: number) => `Type ${n} to confirm`, expired: "What was counted is too old by now. It has been counted again.",
    undoable: { retry: "Jobs that have not begun by then can be put back for 15 minutes.", cancel: "Pending jobs can be put back for 15 minutes. Running ones are asked to stop, which cannot be undone.", delete: "Can be undone for 15 minutes.", "run-now": "Jobs that have not begun by then can be put back for 15 minutes.", reprioritise: "Can be undone for 15 minutes." } satisfies Record<BulkAction, string>,
    one: { retry: "will run again", cancel: "was cancelled", delete: "was deleted", "run-now": "may run now", reprioritise: "has another priority" } satisfies Record<BulkAction, string>,
    doing: { retry: "Retrying", cancel: "Cancelling", delete: "Deleting", "run-now": "Making due", reprioritise: "Reprioritising" } as Record<string, string>,
    results: { asked: "It runs, and was asked to stop.", skipped: "Its state does not allow that, so nothing was changed.", keyIsTaken: "A newer job holds its key, so nothing was changed.", unknown: "It is no longer stored." },
    jobDone: (id: string, what: string) => `Job ${id} ${what}.`, undo: "Undo", stop: "Stop", stopping: "Stopping", undone: (restored: number, lost: number) => `${jobs(restored)} as before${lost ? `; ${jobs(lost)} had gone on and ${lost === 1 ? "was" : "were"} left alone` : ""}.`,
    undoResults: { tooLate: "The time for undoing it is over.", before: "It has been undone already.", notEnded: "It still goes on. Stop it first.", never: "This cannot be undone.", unknown: "There is no such operation." },
    progress: (done: number, all: number) => `${count(done)} of ${count(all)}`, ended: (what: string, done: number, skipped: number) => `${what} ${jobs(done)}${skipped ? `, left ${count(skipped)} alone` : ""}.`, endedEarly: (error: string) => `Ended early: ${error}`,
  },
  form: {
    edit: (type: string) => `Run ${type} again with other data`, submit: (type: string) => `Submit a job of type ${type}`, form: "Form", text: "JSON", data: "Data", queue: "Queue", queueHint: "Empty: as the type says.", tag: "Tag", delay: "Delay", delayHint: "For example 90s, 10m, 2h. Empty: now.",
    optional: "optional", invalidJson: "This is not JSON.", invalidDelay: "Not a time like 90s, 10m or 2h.", editHint: "A new job is submitted; the one you see stays as it is.", run: "Submit", done: (id: string) => `Job ${id} was submitted.`, kept: (id: string) => `Job ${id} was pending already and stays.`, open: "Open it", changes: "Changes", noChange: "Nothing is changed.", hidden: "Redacted members must be entered again.", yes: "yes", no: "no",
  },
  failures: {
    lead: "Errors of the same kind together: by type, frame and message.", hours: "Within", cause: "Cause", type: "Type", count: "Failures", jobs: "Jobs", first: "First", last: "Last", trend: "Trend", retry: "Retry these", open: "Jobs", sample: "Latest", none: "Nothing failed in this time.", partial: "Only the newest failures were read.", isNew: "new", isNewSince: (version: string) => `new since ${version}`, trendOf: (values: number[]) => `Oldest to newest: ${values.join(", ")}`, expand: (title: string) => `Error text of ${title}`,
  },
  queues: {
    drain: {
      paused: "paused", empty: "empty", never: "never: no worker", empties: (time: string) => `empties in about ${time}`, grows: (more: string) => `grows by ${more} a minute`, keepsUp: "keeps up", level: "keeps its length", unknown: "not yet known",
    },
    queue: "Queue", bar: "Jobs", ready: "Ready", running: "Running", oldest: "Oldest", scheduled: "Scheduled", waiting: "Waiting", arrivals: "In/min", rate: "Done/min", failed: "Failed 1 h", empties: "At this rate", workers: "Workers", none: "No queue has been used yet.",
    pause: "Pause", resume: "Resume", pauseTitle: (name: string) => `Pause the queue ${name}?`, pauseMore: "Running jobs finish. Nothing is claimed from it until it is resumed; submitting goes on.", until: "Until", untilSay: { "": "somebody resumes it", "15m": "in 15 minutes", "1h": "in an hour", "4h": "in 4 hours", "24h": "tomorrow at this time" },
    paused: (by: string, ago: string) => `paused ${by ? `by ${by} ` : ""}${ago}`, pausedUntil: (until: string) => `until ${until}`, done: (name: string, isPaused: boolean) => `${name} is ${isPaused ? "paused" : "resumed"}.`, unchanged: "It was so already.", title: (name: string) => `Queue ${name}`, jobsHere: "Jobs of this queue", worksHere: "Workers of this queue", noWorker: "no worker",
  },
  schedules: {
    name: "Schedule", when: "When", next: "Next", last: "Last runs", run: "Run now", lastTick: "Last tick", type: "Type", zone: "Zone", persistent: "kept over restarts", transient: "as long as its server runs", missed: "Missed ticks", nextTicks: "Next ticks", none: "There is no schedule.", noRuns: "No run yet", runs: "Runs", noNext: "no more", created: "Created",
    pauseTitle: (name: string) => `Pause the schedule ${name}?`, pauseMore: "Its ticks pass without a job until it is resumed.", skipNext: "the next tick has passed: it alone is skipped", runTitle: (name: string) => `Run ${name} now?`, runMore: "One job is submitted out of turn. The next tick stays as it is.", title: (name: string) => `Schedule ${name}`, runsOf: (name: string) => `Last runs of ${name}`, ahead: "The next 24 hours", aheadPartial: "There are more ticks than were looked at.", crowds: "When several schedules are due together", noCrowd: "No two schedules are due within the same five minutes.",
    slot: (time: string, ticks: number, names: string[], more: number) => `${time}: ${jobs(ticks)} of ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`, together: (n: number) => `${n} together`, successRate: (share: string) => `${share} succeeded`,
  },
  workers: {
    worker: "Worker", server: "server", child: "worker", alive: "alive", lost: "lost", draining: "draining", idle: "idle", beat: "Lease", expires: (when: string) => `renewed; ends ${when}`, died: (ago: string) => `lost ${ago}`, up: "Up", cpu: "CPU", cpuMore: "100 % is one core, since the beat before", memory: "Memory", pool: "Pool queue", poolMore: "Work that waits for a thread of the thread pool", running: "Running", queues: "Queues", types: "Types", drain: "Drain", resume: "Let go on", none: "No worker has registered.", noneHint: "Jobs wait until a process that calls AddWorkers() starts.", drainTitle: (name: string) => `Drain ${name}?`, drainMore: "It finishes what it runs and claims nothing more. The process stays. A server takes its worker processes along.", drained: (name: string) => `${name} claims nothing more.`, resumed: (name: string) => `${name} goes on.`, cell: (type: string, id: string, time: string) => `${type}, job ${id}, for ${time}`, nothing: "runs nothing", andMore: (n: number) => `and ${count(n)} more`,
  },
  types: {
    type: "Type", queue: "Queue", attempts: "Attempts", last24h: "Last 24 hours", succeeded: "Succeeded", failed: "Failed", retried: "Retried", rate: "Failure rate", p50: "Run p50", p95: "Run p95", p99: "Run p99", wait: "Wait p95", workers: "Workers", none: "No type is known yet.", title: (name: string) => `Type ${name}`, schema: "Data", member: "Member", kind: "Kind", required: "required", noSchema: "Its data has no schema.", ladder: "Retry ladder", ladderMore: (n: number, time: string) => `${plural(n, "attempt")}; the last about ${time} after the first.`, onlyOnce: "It is tried once.", timeout: "Timeout", noTimeout: "none", isolated: "runs alone in a process", aliases: "Also known as", firstSeen: "First seen", lastSeen: "Last seen", submit: "Submit a job", slowest: "Slowest runs", within: "Within", noRuns: "None ended in this time.", searched: (n: string) => `The newest ${n} runs of all types were searched`, backTo: "back to", further: "Search further", outcome: "Ended", started: "Began", unlimited: "no limit", failures: "Its failures", missing: "no worker knows it", openJobs: "Jobs of this type", defaults: "Policy",
  },
  activity: { at: "When", who: "Who", what: "What", target: "Target", result: "Result", reason: "Reason", none: "Nobody has changed anything.", undoFor: (time: string) => `Undo (${time})`, undone: "undone", more: "Show more", running: "goes on", via: (via: string) => `by ${via}`, before: "Before", after: "After", details: "Details" },
  system: { findings: "Findings", none: "Nothing to report.", figures: "Figures", cause: "Cause", remedy: "Remedy", version: "Version", database: "Database", schema: "Schema", known: (known: string) => `this version knows ${known}`, severity: { notice: "notice", warning: "warning", error: "error" }, look: "Look" },
  settings: {
    title: "Settings in force", dashboard: "This dashboard", workers: "Workers", process: "process", processes: "processes", name: "Setting", value: "Value", source: "From", none: "They cannot be read.",
    set: (n: number, all: number) => `${count(n)} of ${count(all)} set`, sources: { default: "default", application: "the application", environment: "the environment" } satisfies Record<Setting["source"], string>,
  },
  views: {
    title: "Views", open: "Views", name: "Name of this filter", save: "Save", replaces: "A view of this name is replaced.", full: (n: number) => `${n} views are kept; delete one first.`, noFilter: "Set a filter to save it as a view.", none: "No view has been saved in this browser.", noneHint: "A view is a filter with a name. Its address can be copied and sent like any other.", count: (n: number, most: number) => `${n} of ${most}`,
    rename: (name: string) => `Rename ${name}`, remove: (name: string) => `Delete ${name}`, newName: "New name", renameIt: "Rename", taken: "Another view has this name.",
  },
  palette: { title: "Search or jump", hint: "A page, a view, a job's id, a queue, a type, or a filter", none: "Nothing fits.", page: "page", job: "job", queue: "queue", type: "type", schedule: "schedule", worker: "worker", view: "view", filter: "filter jobs" },
  help: {
    title: "Keys", enabled: "Single-key shortcuts", groups: { everywhere: "Everywhere", list: "In the list of jobs", job: "On a job" },
    keys: {
      everywhere: [["⌘K / Ctrl K", "search or jump"], ["g + letter", "go to: Overview, Jobs, Failures, Queues, Schedules, Workers, Types, Activity, and y for System"], ["/", "filter"], [".", "pause or go on"], ["t", "theme"], ["?", "these keys"], ["Esc", "close"]],
      list: [["j k", "down, up"], ["Enter", "open"], ["Space", "preview"], ["x", "select; with Shift, from the last one"], ["r", "retry"], ["c", "cancel"], ["e", "explain"], ["v", "views"]],
      job: [["r", "retry"], ["c", "cancel"], ["e", "explain"]],
    },
  },
};
