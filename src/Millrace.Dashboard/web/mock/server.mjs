// A stand-in for the server, for work on the application alone: node mock/server.mjs [port]. Serves dist/ with the real headers.
// Never shipped. ?control endpoints: POST /mock/away, /mock/back, /mock/signout, /mock/quiet.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { ago, attemptsOf, jobs, make, nodes, random, step, types } from "./data.mjs";
import { xss } from "./xss.mjs";

const port = Number(process.argv[2] ?? 5199);
const mount = process.argv[3] ?? "/jobs";
const dist = new URL("../dist/", import.meta.url);
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'; report-uri /mock/csp";
const mime = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8" };
const control = { isAway: false, isSignedOut: false, isQuiet: false, isStill: false, reports: [] };
const streams = new Set();
const pauses = { queues: new Map([["reports", { since: ago(3_600_000 * 2), by: "ana@example.com", reason: "The warehouse is being moved", until: ago(-3_600_000 * 3) }]]), schedules: new Map(), drains: new Map() };
const operations = [];
const previews = new Map();
let lastOperation = 900;

setInterval(() => { if (!control.isStill) { step(); emit("pulse", { at: ago(0) }); } }, 1000).unref();
setInterval(() => emit("ping", {}), 15_000).unref();

function emit(event, data) {
  if (control.isQuiet || control.isAway) return;
  for (const stream of streams) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function record(kind, target, more = {}) {
  const operation = { id: String(++lastOperation), kind, at: ago(0), by: "ana@example.com", via: "dashboard", target, expected: 1, done: 1, skipped: 0, ended: ago(0), ...more };
  operations.unshift(operation);
  return operation;
}
record("pause_queue", "queue reports", { at: ago(7_200_000), reason: "The warehouse is being moved", after: `{"pause":{"until":"2026-11-25T18:00:00Z"}}` });
record("delete", "state:failed type:indexFile", { at: ago(400_000), expected: 312, done: 308, skipped: 4, undoUntil: ago(-480_000), reason: "Files were removed on purpose" });
record("retry", xss[1], { at: ago(300_000), by: xss[2], reason: xss[0] });

const states = ["ready", "scheduled", "retrying", "waiting", "quarantined", "running", "succeeded", "failed", "cancelled"];
const countOf = of => Object.fromEntries(states.map(s => [s, [...jobs.values()].filter(j => j.state === s && (!of || of(j))).length]));
const counts = () => { const c = countOf(); return { ...c, ready: c.ready + 3251, succeeded: c.succeeded + 1_204_311, scheduled: 100_000 }; };

function matches(q) {
  const terms = (q ?? "").match(/(?:[^\s"]|"(?:\\.|[^"])*")+/g) ?? [];
  return job => terms.every(term => {
    const [, not, field, operator, raw] = /^(-?)(\w[\w.]*)(>=|<=|[:~<>])(.*)$/.exec(term) ?? [, "", "any", "~", term];
    const value = raw.replace(/^"|"$/g, "").replace(/\\(.)/g, "$1");
    const text = field === "any" ? JSON.stringify(job) : field === "user" ? job.userId : field === "worker" ? nodes.find(n => n.id === job.node)?.name : field.startsWith("data") ? job.data : job[field];
    let is = text !== undefined;
    if (operator === ":") is = value.split(",").some(v => String(text) === v || (v.includes("*") && new RegExp(`^${v.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(String(text ?? ""))));
    else if (operator === "~") is = String(text ?? "").toLowerCase().includes(value.toLowerCase());
    return not ? !is : is;
  });
}

function queues() {
  return ["default", "images", "index", "mail", "payments", "reports"].map(name => {
    const c = countOf(j => j.queue === name);
    const ready = name === "mail" ? c.ready + 1204 : name === "index" ? c.ready + 2047 : c.ready;
    const hasNobody = name === "mail";
    const perMinute = hasNobody ? 0 : { default: 4, images: 96.4, index: 1640, payments: 31.2, reports: 0 }[name];
    return { name, ready, oldestReady: ready ? ago(hasNobody ? 2_340_000 : 4_000) : undefined, scheduled: c.scheduled + c.retrying, waiting: c.waiting + c.quarantined, running: c.running, endsPerMinute: perMinute, arrivalsPerMinute: { default: 4, images: 101.2, index: 1493.8, mail: 30.9, payments: 31, reports: 0.2 }[name], failedLastHour: c.failed, nodes: hasNobody ? 0 : 2, pause: pauses.queues.get(name), emptyInMs: name === "index" ? (ready / 146.2) * 60_000 : undefined, growsPerMinute: name === "images" && ready ? 4.8 : undefined };
  });
}

const findings = () => [
  { code: "queue_without_worker", severity: "error", text: "Queue mail has 1,204 ready jobs and no living worker.", cause: "Its last worker, batch-7, was lost 39 min ago.", remedy: "Start a process with AddWorkers() for the queue mail, or add it to one that runs.", link: "workers" },
  { code: "failing_type", severity: "warning", text: "chargeCard fails: 22 % of its attempts in the last hour, 0.4 % in the day before.", cause: "Mostly HttpRequestException in StripeClient.ChargeAsync.", link: "failures?hours=1" },
  { code: "queue_paused", severity: "notice", text: "Queue reports has been paused for 2 h by ana@example.com.", link: "queues/reports" },
  { code: "hostile", severity: "notice", text: xss[2], cause: xss[0], link: xss[5] },
];

function stats(query) {
  const from = Date.parse(query.get("from")), to = Date.parse(query.get("to")), step = Number(query.get("stepSeconds")) * 1000;
  const points = [];
  for (let at = Math.ceil(from / step) * step; at < Math.min(to, Date.now()); at += step) {
    const wave = 1 + 0.5 * Math.sin(at / 2.1e6) + 0.25 * Math.sin(at / 4.3e5) + 0.1 * Math.sin(at / 61_000);
    const per = (step / 60_000) * (query.get("queue") ? 190 : 1700) * wave;
    const bad = at > Date.now() - 1_500_000 ? 0.055 : 0.004;
    points.push({ at: new Date(at).toISOString(), succeeded: Math.round(per), failed: Math.round(per * bad * 0.4), retried: Math.round(per * bad), cancelled: 0, interrupted: 0, other: 0, wait: { p50Ms: 14 * wave, p95Ms: 210 * wave, p99Ms: 2100 * wave * wave }, run: { p50Ms: 41 + 9 * wave, p95Ms: 340 * wave, p99Ms: 1900 + 800 * wave } });
  }
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), stepSeconds: step / 1000, points, deployments: [{ at: ago(1_500_000), application: "Shop.Web", version: "1.4.2+3f9c01ab" }].filter(d => Date.parse(d.at) >= from) };
}

const schema = { type: "object", required: ["orderId", "email"], properties: { orderId: { type: "integer" }, email: { type: "string", description: "Where the receipt goes" }, language: { enum: ["en", "de", "fr"], default: "en" }, isCopy: { type: "boolean" }, sendAt: { type: ["string", "null"], format: "date-time" }, headers: { type: "object" } } };
const typeList = () => types.map(([name, queue], i) => ({ name, aliases: i === 0 ? ["scanFile"] : [], queue, maxAttempts: i === 5 ? 1 : 5, timeoutMs: i % 2 ? 60_000 : undefined, retry: i === 5 ? [] : [15_000, 60_000, 600_000, 7_200_000], isIsolated: i === 3, firstSeen: ago(86_400_000 * 40), lastSeen: ago(20_000), nodes: queue === "mail" ? 0 : 2, queues: [queue], last24h: { succeeded: 204_000 - 30_000 * i, failed: i === 2 ? 8412 : i, retried: i === 2 ? 21_000 : i * 40, run: { p50Ms: 40 + i, p95Ms: 300 + 90 * i, p99Ms: 1800 }, wait: { p50Ms: 12, p95Ms: 210, p99Ms: 900 } } }));

const groups = () => ["chargeCard", "sendReceipt", "indexFile"].map((type, i) => {
  const sample = [...jobs.values()].findLast(j => j.type === type && j.state === "failed" && !j.error?.includes("hit()"));
  return sample && { fingerprint: `f${i}`, type, title: ["HttpRequestException in StripeClient.ChargeAsync: Response status code does not indicate success: # (Service Unavailable).", "SmtpCommandException in Mailer.SendAsync: # #.#.# Try again later (greylisted)", "FileNotFoundException in Words.Read: Could not find file '…'."][i], sample: sample.error, sampleJob: sample.id, count: [8412, 96, 12][i], jobs: [1711, 40, 12][i], first: ago([1_500_000, 86_000_000, 40_000_000][i]), last: ago([2_000, 600_000, 5_400_000][i]), trend: Array.from({ length: 24 }, (_, h) => i === 0 ? (h > 21 ? 2000 + h * 90 : 0) : Math.floor(random() * 9)), filter: `type:${type} state:failed` };
}).filter(Boolean).concat({ fingerprint: "fx", type: "sendReceipt", title: xss[2], sample: xss.join("\n"), sampleJob: [...jobs.keys()][0], count: 1, jobs: 1, first: ago(90_000), last: ago(90_000), trend: Array(24).fill(0).with(23, 1), filter: "state:failed" });

const detail = row => ({ row, version: `${row.state}.${row.run}.${row.priority}`, data: row.data, result: row.state === "succeeded" ? `{"words":1204,"isNew":true}` : undefined, error: row.error, headers: `{"tenant":"acme"}`, policy: row.id.endsWith("7") ? `{"maxAttempts":5}` : undefined, trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", key: row.tag, removeAt: row.finished && ago(-86_400_000 * 7), nodeName: nodes.find(n => n.id === row.node)?.name, progress: row.progress, progressMessage: row.progress === undefined ? undefined : "412 of 980 pages", children: [...jobs.values()].slice(0, row.id.endsWith("3") ? 3 : 0), actions: { ready: ["cancel", "delete", "reprioritise", "rerun"], scheduled: ["retry", "run-now", "cancel", "delete", "reprioritise", "rerun"], retrying: ["retry", "run-now", "cancel", "delete", "rerun"], running: ["cancel", "rerun"], waiting: ["retry", "cancel", "delete", "rerun"], quarantined: ["retry", "cancel", "delete", "rerun"] }[row.state] ?? ["retry", "delete", "rerun"] });

function explain(row) {
  const say = { ready: "It is ready and will run soon: 37 jobs are before it.", running: "It is running on web-1/w1 since 2 s.", retrying: "Attempt 1 failed; it runs again after its backoff.", scheduled: "It is due later.", waiting: "No living worker knows its type.", quarantined: "It crashed its process 3 times and waits for a person.", failed: "It gave up after 5 of 5 attempts.", succeeded: "It succeeded in its first attempt.", cancelled: "ana@example.com cancelled it: no longer needed." }[row.state];
  return { jobId: row.id, state: row.state, code: row.state, headline: say, reasons: row.state === "ready" ? [{ code: "behind", text: "37 jobs are before it in the queue, about 2 s at the present rate." }] : row.state === "failed" ? [{ code: "discarded", text: `The last error: ${(row.error ?? "").split("\n")[0]}` }] : [], wouldRunAt: ["ready", "scheduled", "retrying"].includes(row.state) ? row.due : undefined, advice: row.state === "failed" || row.state === "quarantined" ? [{ text: "When the cause is gone, run it again.", command: `retry ${row.id}` }] : [] };
}

function change(action, row, body) {
  const before = { ...row };
  if (action === "retry") Object.assign(row, { state: "ready", run: row.run + 1, attempt: 1, due: ago(0), finished: undefined, error: undefined });
  if (action === "cancel") Object.assign(row, { state: "cancelled", finished: ago(0), outcome: "cancelled" });
  if (action === "run-now") Object.assign(row, { state: "ready", due: ago(0) });
  if (action === "reprioritise") row.priority = Number(body.priority);
  if (action === "delete") jobs.delete(row.id);
  return before;
}

const gets = {
  "me": () => ({ name: "ana@example.com", permissions: ["view", "operate", "administer", "submit"], environment: "Production", isProduction: true, version: "0.1.0", store: "PostgreSQL 15.14", isReadOnly: false }),
  "overview": () => ({ now: ago(0), counts: counts(), cap: 100_000, oldestReady: ago(2_340_000), donePerMinute: 1842.3, failedLastHour: 8412, workersAlive: 3, workersTotal: 4, findings: findings(), queues: queues() }),
  "stats": q => stats(q),
  "jobs": q => {
    const limit = Number(q.get("limit") ?? 50);
    const all = [...jobs.values()].filter(matches(q.get("q"))).sort((a, b) => (BigInt(b.id) > BigInt(a.id) ? 1 : -1)).filter(j => !q.get("before") || BigInt(j.id) < BigInt(q.get("before")));
    return { jobs: all.slice(0, limit), next: all.length > limit ? all[limit - 1].id : undefined, isPartial: /~/.test(q.get("q") ?? "") };
  },
  "jobs/counts": () => ({ counts: counts(), cap: 100_000, now: ago(0) }),
  "filter": q => { const text = q.get("q") ?? ""; const bad = /(?:^|\s)-?(\w+):(?=\s|$)|(bogus):/.exec(text); return bad ? { isValid: false, position: bad.index + (bad[0].length - bad[0].trimStart().length), length: bad[0].trim().length, message: bad[2] ? "there is no field “bogus”. Did you mean “type”?" : "a value is expected after the colon" } : { isValid: true }; },
  "filter/words": () => ({ fields: [["state", "state", "where the job stands"], ["type", "text", "its registered name"], ["queue", "text", "its queue"], ["tag", "text", "its tag, * for any characters"], ["schedule", "text", "whose tick it is"], ["error", "text", "of its latest run"], ["worker", "text", "that runs or ran it"], ["outcome", "text", "how its latest run ended"], ["id", "number", "its id"], ["user", "number", "whose job it is"], ["priority", "number", "smaller runs first"], ["attempt", "number", "1 is the first"], ["parent", "number", "the job that submitted it"], ["created", "time", "when it was submitted"], ["due", "time", "when it may run"], ["started", "time", "when its latest run began"], ["finished", "time", "when its latest run ended"], ["data", "data", "a member of its data"]].map(([name, kind, hint]) => ({ name, kind, hint })), states, types: types.map(t => t[0]), queues: queues().map(q => q.name), schedules: ["nightly", "sweep"], workers: nodes.map(n => n.name) }),
  "queues": () => ({ queues: queues() }),
  "schedules": () => ({ schedules: [["nightly", "nightlyReport", "0 0 2 * * *", "at 02:00", "Europe/Berlin"], ["sweep", "removeOldWorkerJobs", "0 0 * * * *", "every hour", "UTC"], [xss[1], "sendReceipt", "0 */15 9-17 * * 1-5", "every 15 minutes from 09:00 to 17:59 on weekdays", "UTC"]].map(([name, type, cron, words, zone], i) => ({ name, type, cron, words, zone, isPersistent: i < 2, missedTicks: "last", queue: "default", nextDue: ago(-3_600_000 * (i + 0.4)), next: [1, 2, 3, 4, 5].map(n => ago(-3_600_000 * (i + 0.4 + n - 1))), lastTick: ago(3_000_000), pause: pauses.schedules.get(name), created: ago(86_400_000 * 9), owners: 1 })) }),
  "schedules/ahead": () => { const from = Math.floor(Date.now() / 300_000) * 300_000; return { from: new Date(from).toISOString(), to: new Date(from + 86_400_000).toISOString(), stepSeconds: 300, isPartial: false, slots: Array.from({ length: 288 }, (_, i) => i).filter(i => i % 3 === 0 || i === 100).map(i => ({ at: new Date(from + i * 300_000).toISOString(), ticks: i % 12 === 0 ? 5 : 1, schedules: i % 12 === 0 ? ["sweep", "nightly", xss[1]] : ["sweep"], more: 0 })) }; },
  "workers": () => ({ now: ago(0), workers: nodes.map(n => { const running = [...jobs.values()].filter(j => j.state === "running" && j.node === n.id); return { id: n.id, name: n.name, kind: n.kind, server: n.server, load: n.isDead ? undefined : { cpu: n.kind === "server" ? 0.004 : 1.37, memory: n.kind === "server" ? 96_000_000 : 1_480_000_000, poolQueue: n.name.endsWith("w2") ? 312 : 0 }, started: ago(n.isDead ? 90_000_000 : 19_000_000), isAlive: !n.isDead, expires: n.isDead ? undefined : ago(-21_000), died: n.isDead ? ago(2_340_000) : undefined, isIdle: running.length === 0, drain: pauses.drains.get(n.id), queues: n.isDead ? ["mail"] : ["default", "index", "images", "payments", "reports"], types: types.map(t => t[0]), runningCount: running.length, running: running.map(j => ({ jobId: j.id, type: j.type, attempt: j.attempt, claimed: j.started, progress: j.progress })) }; }) }),
  "types": () => ({ types: typeList() }),
  "failures": q => ({ since: ago(Number(q.get("hours")) * 3_600_000), isPartial: false, groups: groups(), deployments: [{ at: ago(1_500_000), application: "Shop.Web", version: "1.4.2+3f9c01ab" }] }),
  "settings": () => ({ groups: [
    { of: "dashboard", nodes: 1, names: [], settings: [["Dashboard.Path", "/jobs", 1], ["Dashboard.Title", "Millrace", 0], ["Dashboard.IsReadOnly", "no", 0], ["Dashboard.TraceLink", "https://grafana.example.com/explore?token=•••• redacted", 1], ["Dashboard.Policies", "view: staff, operate: on-call", 1]].map(([name, value, set]) => ({ name, value, source: set ? "application" : "default" })) },
    { of: "workers", application: "Shop.Web", nodes: 2, names: ["web-1/w1", "web-1/w2"], settings: [["Millrace.MaxAttempts", "5", "application"], ["Millrace.Timeout", "infinite", "default"], ["Workers.Queues", "default: 10, mail: 3", "application"], ["Workers.Processes", "2", "environment"], ["Postgres.Schema", "millrace", "default"]].map(([name, value, source]) => ({ name, value, source })) },
    { of: "workers", application: xss[1], nodes: 30, names: [xss[2]], settings: [{ name: xss[0], value: xss[2], source: "application" }] },
  ] }),
  "audit": () => ({ operations: operations.slice(0, 50) }),
  "system": () => ({ version: "0.1.0", server: "PostgreSQL 15.14 on x86_64", schemaVersion: 7, knownVersion: 7, figures: [{ name: "Size of job", value: "1.2 GB" }, { name: "Size of attempt", value: "3.4 GB" }, { name: "Oldest transaction", value: "0.4 s" }, { name: "Clock difference", value: "2 ms" }, { name: "Connections", value: 14 }], findings: findings().slice(0, 2) }),
};

function answerGet(path, query) {
  if (gets[path]) return gets[path](query);
  const [thing, id, part] = path.split("/").map(decodeURIComponent);
  if (thing === "jobs" && jobs.has(id)) {
    const row = jobs.get(id);
    if (!part) return detail(row);
    if (part === "attempts") return { attempts: attemptsOf(row) };
    if (part === "explain") return explain(row);
    if (part === "audit") return { operations: operations.filter(o => o.jobId === id) };
    if (part === "logs") return query.get("afterLine") ? { lines: [] } : { lines: Array.from({ length: 40 }, (_, i) => ({ run: 1, line: i + 1, at: row.started ?? row.created, level: ["information", "debug", "information", "warning", "trace", "error"][i % 6], category: "Shop.Jobs.Handler", message: i === 3 ? xss[2] : i === 7 ? "two\nlines" : `Handled part ${i} of 40`, properties: i % 4 === 0 ? `{"Part":${i},"Path":"docs/a.md"}` : undefined, exception: i % 6 === 5 ? row.error ?? "System.InvalidOperationException: no" : undefined })) };
  }
  if (thing === "types" && part === "slowest") {
    const all = [...jobs.values()].filter(j => j.type === id && j.finished && j.started);
    const runs = all.map(j => ({ jobId: j.id, run: j.run, attempt: j.attempt, tag: j.tag, outcome: j.outcome ?? "succeeded", started: j.started, finished: j.finished, tookMs: Date.parse(j.finished) - Date.parse(j.started) }));
    const isOld = query.get("before");
    return { since: ago(Number(query.get("hours")) * 3_600_000), runs: runs.sort((a, b) => b.tookMs - a.tookMs).slice(isOld ? 18 : 0, isOld ? 20 : 18), examined: 73_000, reached: ago(40 * 60_000), next: { jobId: "48210000", run: 1 } };
  }
  if (thing === "types" && typeList().some(t => t.name === id)) return { ...typeList().find(t => t.name === id), schema: JSON.stringify(schema) };
  if (thing === "schedules" && part === "runs") return { jobs: [...jobs.values()].filter(j => ["succeeded", "failed"].includes(j.state)).slice(-50).reverse() };
  if (thing === "operations") return operations.find(o => o.id === id);
  return undefined;
}

function answerPost(path, body, match) {
  const [thing, id, action] = path.split("/").map(decodeURIComponent);
  if (path === "operations/preview") {
    const all = [...jobs.values()].filter(body.ids ? j => body.ids.includes(j.id) : matches(body.q));
    const can = all.filter(j => detail(j).actions.includes(body.action) || (body.action === "retry" && j.state === "failed"));
    const by = key => Object.fromEntries(Object.entries(Object.groupBy(can, j => j[key])).map(([k, v]) => [k, v.length]));
    const token = `t${previews.size}`;
    previews.set(token, { can, action: body.action, priority: body.priority, q: body.q ?? `${body.ids.length} jobs` });
    return { token, count: can.length, skipped: all.length - can.length, byState: by("state"), byType: by("type"), byQueue: by("queue"), samples: can.slice(0, 5), isCapped: false, isCounting: false, expires: ago(-600_000) };
  }
  if (path === "operations") {
    const { can, action, q, priority } = previews.get(body.token);
    if ((can.length > 1000 || (action === "delete" && can.length > 25)) && body.confirm !== can.length) return { status: 409, code: "confirmation_needed", title: "Type the number" };
    const before = [];
    const operation = record(action.replace("-", "_"), q, { expected: can.length, done: 0, ended: undefined, reason: body.reason, restore: () => { for (const b of before) jobs.set(b.id, b); } });
    const timer = setInterval(() => {
      for (const row of can.splice(0, 10)) { before.push(change(action, row, { priority })); operation.done++; }
      if (can.length === 0) { clearInterval(timer); operation.ended = ago(0); operation.undoUntil = ago(-900_000); }
      emit("operation", operation);
    }, 300);
    return { id: operation.id };
  }
  if (thing === "operations") {
    const operation = operations.find(o => o.id === id);
    if (action === "stop") return { stopped: true };
    operation.restore?.();
    operation.undoneBy = record("undo", `operation ${id}`).id;
    return { result: "done", restored: operation.done, lost: 0, operation: operation.undoneBy };
  }
  if (path === "jobs") return { id: make("ready", Date.now(), { row: { type: body.type, data: body.data } }).id, outcome: "created" };
  if (thing === "jobs" && jobs.has(id)) {
    const row = jobs.get(id);
    if (action === "rerun") return { id: make("ready", Date.now(), { row: { type: row.type, data: body.data } }).id, outcome: "created" };
    if (match && match !== `"${detail(row).version}"`) return { status: 412, code: "job_moved", title: "The job has moved", state: row.state, version: detail(row).version };
    const before = change(action, row, body);
    const operation = record(action.replace("-", "_"), `job ${id}`, { jobId: id, reason: body.reason, undoUntil: ago(-900_000), before: JSON.stringify({ state: before.state }), after: JSON.stringify({ state: row.state }), restore: () => jobs.set(id, before) });
    return { result: "done", state: row.state, version: detail(row).version, operation: operation.id };
  }
  const set = { queues: pauses.queues, schedules: pauses.schedules, workers: pauses.drains }[thing];
  if (set && action === "run") return { id: make("ready", Date.now()).id, outcome: "created" };
  if (set) {
    if (action === "resume") set.delete(id); else set.set(id, { since: ago(0), by: "ana@example.com", reason: body.reason, until: body.until });
    record(action === "drain" ? "drain" : `${action}_${thing.slice(0, -1)}`, `${thing.slice(0, -1)} ${id}`, { reason: body.reason });
    return { changed: true };
  }
  return undefined;
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://mock");
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  if (url.pathname.startsWith("/mock/")) {
    const what = url.pathname.slice(6);
    if (what === "csp") control.reports.push(text);
    else if (what === "reports") { response.end(JSON.stringify(control.reports)); return; }
    else Object.assign(control, { away: { isAway: true }, back: { isAway: false }, signout: { isSignedOut: true }, signin: { isSignedOut: false }, quiet: { isQuiet: true }, loud: { isQuiet: false }, still: { isStill: true }, moving: { isStill: false } }[what]);
    response.end();
    return;
  }
  const path = url.pathname.startsWith(`${mount}/`) ? url.pathname.slice(mount.length + 1) : undefined;
  if (path === undefined) { response.writeHead(302, { location: `${mount}/` }).end(); return; }
  if (path.startsWith("assets/")) {
    try {
      response.writeHead(200, { "content-type": mime[extname(path)], "cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff" }).end(readFileSync(new URL(path, dist)));
    } catch {
      response.writeHead(404).end();
    }
    return;
  }
  if (!path.startsWith("api/v1/")) {
    const boot = JSON.stringify({ mount, title: "Millrace" }).replaceAll("<", "\\u003c");
    const shell = readFileSync(new URL("index.html", dist), "utf8").replace("<!--millrace:boot-->", `<base href="${mount}/"><script type="application/json" id="boot">${boot}</script>`);
    response.writeHead(200, { "content-type": mime[".html"], "content-security-policy": policy, "cache-control": "no-store" }).end(shell);
    return;
  }
  const json = (status, value) => response.writeHead(status, { "content-type": status < 400 ? "application/json" : "application/problem+json", "cache-control": "no-store" }).end(JSON.stringify(value));
  if (control.isSignedOut) { json(401, { code: "signed_out", title: "Sign in" }); return; }
  if (control.isAway) { json(503, { code: "database_away", title: "The database does not answer", detail: "db.internal:5432 refused the connection. It may be restarting." }); return; }
  const api = path.slice(7);
  if (api === "events") {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    response.write(": hello\n\n");
    streams.add(response);
    request.socket.on("close", () => streams.delete(response));
    emit("ping", {});
    return;
  }
  const value = request.method === "POST" ? answerPost(api, JSON.parse(text || "{}"), request.headers["if-match"]) : answerGet(api, url.searchParams);
  if (value === undefined) json(404, { code: "not_found", title: "Not found" });
  else if (value.status >= 400) json(value.status, value);
  else json(request.method === "POST" && api === "operations" ? 202 : 200, value);
});
server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}${mount}/`));
