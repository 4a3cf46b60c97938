// The slowest runs of a type, as the API tells them.

export interface SlowRun {
  jobId: string;
  run: number;
  attempt: number;
  tag?: string;
  outcome: string;
  started: string;
  finished: string;
  tookMs: number;
}

export interface Slowest {
  since: string;
  runs: SlowRun[];
  examined: number;
  reached?: string;
  next?: { jobId: string; run: number };
}
