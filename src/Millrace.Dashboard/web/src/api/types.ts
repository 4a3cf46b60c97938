// The contract of api/v1. Ids are strings, times are ISO-8601 in UTC, members ending in Ms are milliseconds. Absent means "not there".

export const states = ["ready", "scheduled", "retrying", "waiting", "quarantined", "running", "succeeded", "failed", "cancelled"] as const;
export type State = (typeof states)[number];

export type Outcome = "succeeded" | "failed" | "snoozed" | "released" | "interrupted" | "discarded" | "cancelled" | "replaced" | "superseded";
export type Permission = "view" | "operate" | "administer" | "submit";
export type JobAction = "retry" | "cancel" | "delete" | "run-now" | "reprioritise" | "rerun";
export type BulkAction = Exclude<JobAction, "rerun">;
export type Counts = Partial<Record<State, number>>;

export interface Me {
  name: string;
  permissions: Permission[];
  environment: string;
  isProduction: boolean;
  version: string;
  store: string;
  isReadOnly: boolean;
}

export interface Pause {
  since: string;
  by?: string;
  reason?: string;
  until?: string;
}

export interface Finding {
  code: string;
  severity: "notice" | "warning" | "error";
  text: string;
  cause?: string;
  remedy?: string;
  link?: string;
}

export interface Queue {
  name: string;
  ready: number;
  oldestReady?: string;
  scheduled: number;
  waiting: number;
  running: number;
  endsPerMinute: number;
  arrivalsPerMinute: number;
  failedLastHour: number;
  nodes: number;
  pause?: Pause;
  emptyInMs?: number;
  growsPerMinute?: number;
}

export interface Overview {
  now: string;
  counts: Counts;
  cap: number;
  oldestReady?: string;
  donePerMinute: number;
  failedLastHour: number;
  workersAlive: number;
  workersTotal: number;
  findings: Finding[];
  queues: Queue[];
}

export interface Percentiles {
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
}

export interface StatPoint {
  at: string;
  queue?: string;
  type?: string;
  succeeded: number;
  failed: number;
  retried: number;
  cancelled: number;
  interrupted: number;
  other: number;
  wait?: Percentiles;
  run?: Percentiles;
}

export interface Stats {
  from: string;
  to: string;
  stepSeconds: number;
  points: StatPoint[];
  deployments: Deployment[];
}

/** A version that came to be among the workers of an application. */
export interface Deployment {
  at: string;
  application: string;
  version: string;
}

export interface JobRow {
  id: string;
  type: string;
  tag?: string;
  userId: string;
  queue: string;
  priority: number;
  state: State;
  waitsFor?: string;
  run: number;
  attempt: number;
  due: string;
  created: string;
  started?: string;
  finished?: string;
  outcome?: Outcome;
  data: string;
  error?: string;
  schedule?: string;
  parent?: string;
  node?: string;
  progress?: number;
  deletedBy?: string;
}

export interface JobList {
  jobs: JobRow[];
  next?: string;
  isPartial: boolean;
}

export interface JobCounts {
  counts: Counts;
  cap: number;
  now: string;
}

export interface JobDetail {
  row: JobRow;
  version: string;
  data: string;
  result?: string;
  error?: string;
  headers?: string;
  policy?: string;
  trace?: string;
  /** Made by the server from its own settings: an address outside. */
  traceLink?: string;
  key?: string;
  removeAt?: string;
  nodeName?: string;
  progress?: number;
  progressMessage?: string;
  cancelRequest?: { by?: string; reason?: string };
  children: JobRow[];
  actions: JobAction[];
}

export interface Attempt {
  run: number;
  attempt: number;
  isCharged: boolean;
  outcome: Outcome;
  started: string;
  finished: string;
  node?: string;
  result?: string;
  error?: string;
}

export type Level = "trace" | "debug" | "information" | "warning" | "error" | "critical";

export interface LogLine {
  run: number;
  line: number;
  at: string;
  level: Level;
  category: string;
  message: string;
  properties?: string;
  exception?: string;
}

export interface LogPage {
  lines: LogLine[];
  next?: { run: number; line: number };
}

export interface Explanation {
  jobId: string;
  state: State;
  code: string;
  headline: string;
  /** What else there is to it: the headline is not among them. */
  reasons: { code: string; text: string }[];
  wouldRunAt?: string;
  advice: { text: string; command?: string }[];
}

export interface Operation {
  id: string;
  kind: string;
  at: string;
  by: string;
  via: string;
  reason?: string;
  target: string;
  jobId?: string;
  expected: number;
  done: number;
  skipped: number;
  ended?: string;
  error?: string;
  before?: string;
  after?: string;
  undoUntil?: string;
  undoneBy?: string;
}

export interface FilterField {
  name: string;
  kind: "text" | "number" | "time" | "state" | "data";
  hint: string;
}

export interface FilterWords {
  fields: FilterField[];
  states: string[];
  types: string[];
  queues: string[];
  schedules: string[];
  workers: string[];
}

export interface FilterCheck {
  isValid: boolean;
  position?: number;
  length?: number;
  message?: string;
}

export interface ChangeAnswer {
  result: "done" | "asked" | "skipped" | "keyIsTaken" | "unknown";
  state?: State;
  version?: string;
  operation?: string;
}

export interface Schedule {
  name: string;
  type: string;
  cron: string;
  words: string;
  zone: string;
  isPersistent: boolean;
  missedTicks: string;
  queue: string;
  tag?: string;
  nextDue?: string;
  next: string[];
  lastTick?: string;
  pause?: Pause;
  created: string;
  owners: number | string[];
}

/** What all schedules make in the day to come; slots without anything are left out. */
export interface Ahead {
  from: string;
  to: string;
  stepSeconds: number;
  slots: { at: string; ticks: number; schedules: string[]; more: number }[];
  isPartial: boolean;
}

export interface Worker {
  id: string;
  name: string;
  kind: "server" | "worker";
  server?: string;
  application?: string;
  version?: string;
  started: string;
  isAlive: boolean;
  expires?: string;
  died?: string;
  isIdle: boolean;
  load?: { cpu?: number; memory: number; poolQueue: number };
  drain?: Pause;
  queues: string[];
  types: string[];
  runningCount: number;
  running: { jobId: string; type: string; attempt: number; claimed: string; progress?: number }[];
}

export interface Workers {
  now: string;
  workers: Worker[];
}

export interface JobType {
  name: string;
  aliases: string[];
  queue: string;
  maxAttempts: number;
  timeoutMs?: number;
  retry: number[];
  isIsolated: boolean;
  firstSeen: string;
  lastSeen: string;
  nodes: number;
  queues: string[];
  last24h: { succeeded: number; failed: number; retried: number; run?: Percentiles; wait?: Percentiles };
  schema?: string | object;
}

export interface FailureGroup {
  fingerprint: string;
  type: string;
  title: string;
  sample: string;
  sampleJob: string;
  count: number;
  jobs: number;
  first: string;
  last: string;
  trend: number[];
  filter: string;
}

export interface Failures {
  since: string;
  isPartial: boolean;
  groups: FailureGroup[];
  deployments: Deployment[];
}

export interface Preview {
  token: string;
  count: number;
  skipped: number;
  byState: Record<string, number>;
  byType: Record<string, number>;
  byQueue: Record<string, number>;
  samples: JobRow[];
  isCapped: boolean;
  isCounting: boolean;
  expires: string;
}

export interface UndoAnswer {
  result: "done" | "tooLate" | "before" | "notEnded" | "never" | "unknown";
  restored: number;
  lost: number;
  operation?: string;
}

export interface SystemInfo {
  version: string;
  server: string;
  schemaVersion: number | string;
  knownVersion: number | string;
  figures: { name: string; value: string | number }[];
  findings: Finding[];
}

export interface Problem {
  status: number;
  code: string;
  title: string;
  detail?: string;
  field?: string;
  limit?: number | string;
  position?: number;
  length?: number;
  state?: State;
  version?: string;
  permission?: string;
  since?: string;
}
