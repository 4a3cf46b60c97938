// A small world that lives: jobs come, run, fail, are retried. Made up, but with the shapes of the real API.
import { xss } from "./xss.mjs";

let seed = 7;
export const random = () => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed / 0x7fffffff; };
const pick = list => list[Math.floor(random() * list.length)];
const iso = ms => new Date(ms).toISOString().replace("Z", "000Z");
export const ago = ms => iso(Date.now() - ms);

export const types = [
  ["indexFile", "index", i => ({ path: `docs/${pick(["guide", "notes", "readme", "changes"])}-${i % 977}.md`, sizeInBytes: 1200 + i % 90000, priority: 9007199254740993n })],
  ["sendReceipt", "mail", i => ({ orderId: 4_000_000 + i, email: `c${i % 500}@example.com`, password: "•••• redacted" })],
  ["chargeCard", "payments", i => ({ orderId: 4_000_000 + i, amount: { cents: 1999, currency: "EUR" }, card: "•••• redacted" })],
  ["resizeImage", "images", i => ({ key: `img/${i}.jpg`, widths: [320, 640, 1280] })],
  ["nightlyReport", "reports", () => ({ day: new Date().toISOString().slice(0, 10), formats: ["pdf", "csv"] })],
  ["removeOldWorkerJobs", "default", () => ({})],
];
const errors = {
  chargeCard: `System.Net.Http.HttpRequestException: Response status code does not indicate success: 503 (Service Unavailable).\n   at System.Net.Http.HttpResponseMessage.EnsureSuccessStatusCode()\n   at Shop.Payments.StripeClient.ChargeAsync(Charge charge, CancellationToken cancellationToken) in /src/Shop/Payments/StripeClient.cs:line 41\n   at Shop.Jobs.ChargeCardJob.RunAsync(JobContext\`1 job, CancellationToken cancellationToken) in /src/Shop/Jobs/ChargeCardJob.cs:line 18\n   at Millrace.Working.Handler\`2.RunAsync(AttemptContext context)\n   at Millrace.Working.AttemptRunner.RunAsync(Claim claim)`,
  sendReceipt: `MailKit.Net.Smtp.SmtpCommandException: 451 4.7.1 Try again later (greylisted)\n   at MailKit.Net.Smtp.SmtpClient.SendAsync(MimeMessage message)\n   at Shop.Mail.Mailer.SendAsync(String to, String subject) in /src/Shop/Mail/Mailer.cs:line 77\n   at Shop.Jobs.SendReceiptJob.RunAsync(JobContext\`1 job, CancellationToken cancellationToken)`,
  indexFile: `System.IO.FileNotFoundException: Could not find file '/srv/docs/guide-12.md'.\n   at System.IO.FileStream..ctor(String path, FileMode mode)\n   at FolderIndex.Words.Read(String path) in /src/FolderIndex/Words.cs:line 23`,
};

export const nodes = [
  { id: "7f0c1a52-1111-4b1e-9a5e-000000000001", name: "web-1", kind: "server" },
  { id: "7f0c1a52-2222-4b1e-9a5e-000000000002", name: "web-1/w1", kind: "worker", server: "7f0c1a52-1111-4b1e-9a5e-000000000001" },
  { id: "7f0c1a52-3333-4b1e-9a5e-000000000003", name: "web-1/w2", kind: "worker", server: "7f0c1a52-1111-4b1e-9a5e-000000000001" },
  { id: "8e2b9c11-4444-4b1e-9a5e-000000000004", name: "batch-7", kind: "server", isDead: true },
];

export const jobs = new Map();
export const attempts = new Map();
let nextId = 48210000n;

export function make(state, at, more = {}) {
  const index = jobs.size;
  const [type, queue, data] = more.kind ?? (index % 23 === 5 ? types[2] : pick(types.slice(0, 4)));
  const id = String(++nextId);
  const created = at - 1000 * (5 + random() * 600);
  const started = state === "ready" || state === "scheduled" || state === "waiting" ? undefined : at - 200 - random() * 4000;
  const isOver = state === "succeeded" || state === "failed" || state === "cancelled";
  const error = state === "failed" || state === "retrying" || state === "quarantined" ? errors[type] ?? errors.chargeCard : undefined;
  const row = {
    id, type, queue, userId: index % 3 ? "0" : String(40 + index % 9), priority: index % 11 === 0 ? 10 : 0, state, run: error ? 4 : 1, attempt: state === "failed" ? 5 : error ? 2 : 1,
    tag: index % 4 === 0 ? `order-${4000 + index}` : undefined, created: iso(created), due: iso(state === "scheduled" || state === "retrying" ? Date.now() + 1000 * (20 + random() * 9000) : created + (index % 7 === 0 ? 4000 : 0)),
    started: started && iso(started), finished: isOver || state === "retrying" ? iso(at) : undefined, outcome: state === "failed" ? "discarded" : state === "retrying" ? "failed" : isOver ? state : undefined,
    data: JSON.stringify(data(index), (_, v) => typeof v === "bigint" ? String(v) : v), error, node: started ? pick(nodes.slice(1, 3)).id : undefined, waitsFor: state === "waiting" ? pick(["type", "key"]) : state === "quarantined" ? "quarantine" : undefined,
    progress: state === "running" && index % 2 ? Math.floor(random() * 100) : undefined, ...more.row,
  };
  jobs.set(id, row);
  return row;
}

const now = Date.now();
for (let i = 0; i < 420; i++) make("succeeded", now - 3_600_000 * 5 * (1 - i / 420));
for (let i = 0; i < 34; i++) make("failed", now - 3_600_000 * 3 * random());
for (let i = 0; i < 12; i++) make("cancelled", now - 3_600_000 * random());
for (let i = 0; i < 19; i++) make("retrying", now - 60_000 * random());
for (let i = 0; i < 60; i++) make("scheduled", now);
for (let i = 0; i < 5; i++) make("waiting", now);
for (let i = 0; i < 2; i++) make("quarantined", now - 500_000);
for (let i = 0; i < 140; i++) make("ready", now - 4000);
for (let i = 0; i < 9; i++) make("running", now - 2000 * i);
// One job with every hostile text in it.
make("failed", now - 5000, { row: { tag: xss[2], type: "sendReceipt", data: JSON.stringify(Object.fromEntries(xss.map((x, i) => [i % 2 ? x : `field${i}`, x]))), error: xss.join("\n") } });
make("failed", now - 4000, { row: { tag: "\u202Egnp.exe", data: JSON.stringify({ name: xss[23] }) } });

export function attemptsOf(row) {
  if (attempts.has(row.id)) return attempts.get(row.id);
  const list = [];
  const count = row.state === "failed" ? 5 : row.state === "retrying" || row.state === "quarantined" ? row.attempt - 1 : row.finished ? 1 : 0;
  const from = Date.parse(row.created), to = Date.parse(row.finished ?? row.created);
  for (let i = 1; i <= count; i++) {
    const isLast = i === count;
    const start = isLast ? Date.parse(row.started ?? row.created) : from + ((to - from) * i) / (count + 1);
    list.push({ run: i, attempt: i, isCharged: true, outcome: isLast ? row.outcome ?? "failed" : "failed", started: iso(start), finished: isLast ? row.finished ?? iso(start + 900) : iso(start + 300 + 900 * random()), node: row.node, error: row.error && (i === 1 ? row.error.replace("503", "502").replace("Unavailable", "Gateway") : row.error), result: row.state === "succeeded" ? `{"words":1204,"isNew":true}` : undefined });
  }
  attempts.set(row.id, list);
  return list;
}

/** Things move on: some begin, some end, some come. */
export function step() {
  const all = [...jobs.values()];
  for (const row of all.filter(r => r.state === "running").slice(0, 2)) {
    row.finished = iso(Date.now());
    row.progress = undefined;
    if (random() < 0.06) Object.assign(row, { state: "retrying", outcome: "failed", error: errors[row.type] ?? errors.chargeCard, attempt: 2, due: iso(Date.now() + 15000) });
    else Object.assign(row, { state: "succeeded", outcome: "succeeded" });
  }
  for (const row of all.filter(r => r.state === "running" && r.progress !== undefined)) row.progress = Math.min(99, row.progress + 4);
  for (const row of all.filter(r => r.state === "ready").slice(0, 2)) Object.assign(row, { state: "running", started: iso(Date.now()), node: pick(nodes.slice(1, 3)).id, progress: random() < 0.5 ? 3 : undefined });
  make("ready", Date.now(), { row: { created: iso(Date.now()), due: iso(Date.now()) } });
  if (random() < 0.5) make("ready", Date.now(), { row: { created: iso(Date.now()), due: iso(Date.now()) } });
  if (jobs.size > 1500) for (const row of all.filter(r => r.state === "succeeded").slice(0, 100)) jobs.delete(row.id);
}
