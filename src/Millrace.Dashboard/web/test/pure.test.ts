import { cells, crowded } from "../src/pure/ahead.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempt, JobRow, Queue } from "../src/api/types.ts";
import { between, merge, nothing } from "../src/pages/jobs/rows.ts";
import { fill, stepFor } from "../src/pure/buckets.ts";
import { curl, millrace } from "../src/pure/commands.ts";
import { drain } from "../src/pure/drain.ts";
import { glance, pretty, readJson } from "../src/pure/json.ts";
import { capped, percent, plural, rate, share, size } from "../src/pure/number.ts";
import { joined } from "../src/pure/slowest.ts";
import { find } from "../src/pure/palette.ts";
import { fieldsOf, toJson, valuesFrom } from "../src/pure/schema.ts";
import { folded, fresh } from "../src/pure/stack.ts";
import { timeline } from "../src/pure/timeline.ts";
import { visible } from "../src/pure/visible.ts";

const queue = (more: Partial<Queue>): Queue => ({ name: "mail", ready: 0, scheduled: 0, waiting: 0, running: 0, endsPerMinute: 0, arrivalsPerMinute: 0, failedLastHour: 0, nodes: 1, ...more });

test("a queue says when it will be empty, or by how much it grows", () => {
  assert.equal(drain(queue({})).text, "empty");
  assert.equal(drain(queue({ ready: 5, nodes: 0 })).text, "never: no worker");
  assert.equal(drain(queue({ ready: 5, pause: { since: "" } })).text, "paused");
  assert.equal(drain(queue({ ready: 1, emptyInMs: 847_000 })).text, "empties in about 14 min");
  assert.equal(drain(queue({ ready: 1400, endsPerMinute: 100, growsPerMinute: 210 })).text, "grows by 210 a minute");
  assert.equal(drain(queue({ ready: 1400, endsPerMinute: 100 })).text, "keeps its length");
  assert.equal(drain(queue({ ready: 4, endsPerMinute: 100 })).text, "keeps up");
  assert.equal(drain(queue({ ready: 5 })).text, "not yet known");
});

test("numbers are honest about what they leave out", () => {
  assert.equal(capped(100_000, 100_000), "100,000+");
  assert.equal(percent(1, 100_000), "<0.1 %");
  assert.equal(percent(99_999, 100_000), ">99.9 %");
  assert.equal(percent(0, 0), "–");
  assert.deepEqual([0.4, 1842.3].map(rate), ["0.4", "1,842"]);
  assert.equal(plural(1, "job"), "1 job");
  assert.deepEqual([0, 0.002, 0.37, 1.4].map(share), ["0 %", "<1 %", "37 %", "140 %"]);
  assert.deepEqual([812_000, 287_400_000, 1_530_000_000].map(size), ["812 KB", "287 MB", "1.5 GB"]);
});

test("digits of big numbers are kept", () => {
  const text = `{"id":9007199254740993,"rate":1.50,"list":[],"name":"a\\nb"}`;
  const value = readJson(text);
  assert.ok(value !== undefined);
  // Runtimes that do not hand over the source of a number can only round it.
  assert.match(pretty(value), /"id": 900719925474099[23]/);
  assert.match(glance(text), /^id: 900719925474099[23] · rate: 1\.50? · list: \[0\] · name: a b$/);
  assert.equal(readJson(`{"cut":`), undefined);
});

test("nothing hides in a text", () => {
  assert.equal(visible("invoice\u202Etxt.exe"), "invoice⟨U+202E⟩txt.exe");
  assert.equal(visible("a\u0000b\u001b[31m\ud800"), "a⟨U+0000⟩b⟨U+001B⟩[31m⟨U+D800⟩");
  assert.equal(visible("line\r\nline\ttab 👩‍💻 ünï"), "line\nline\ttab 👩‍💻 ünï");
});

test("commands are quoted for a shell", () => {
  assert.equal(millrace("list", "tag:it's $(rm)"), `millrace list 'tag:it'\\''s $(rm)'`);
  assert.equal(curl("http://h/jobs/api/v1/jobs?q=a&b=c"), "curl -sS --fail-with-body 'http://h/jobs/api/v1/jobs?q=a&b=c'");
});

test("frames of frameworks are folded, and differences between attempts marked", () => {
  const error = "X: no 1\n   at System.A()\n   at Microsoft.B()\n   at Shop.C() in /c.cs:line 4\n   at Millrace.D()";
  assert.deepEqual(folded(error).map(g => [g[0]?.kind, g.length]), [["message", 1], ["framework", 2], ["own", 1], ["framework", 1]]);
  assert.equal(fresh(error, error.replace("no 1", "no 2")).size, 0);
  assert.deepEqual([...fresh(error, error.replace("no 1", "yes"))], ["X: no 1"]);
});

test("minutes without attempts are zero and not gaps", () => {
  const points = fill({ from: "2026-11-25T13:00:00Z", to: "2026-11-25T13:03:00Z", stepSeconds: 60, points: [{ at: "2026-11-25T13:01:00Z", succeeded: 5, failed: 0, retried: 0, cancelled: 0, interrupted: 0, other: 0 }], deployments: [] });
  assert.deepEqual(points.map(p => p.succeeded), [0, 5, 0, 0]);
  assert.deepEqual([3600, 86_400, 30 * 86_400].map(stepFor), [60, 600, 14_400]);
});

const row: JobRow = { id: "5", type: "t", userId: "0", queue: "q", priority: 0, state: "retrying", run: 2, attempt: 2, due: "2026-11-25T14:00:00Z", created: "2026-11-25T13:00:00Z", data: "{}" };
const attempt = (run: number, started: string, finished: string): Attempt => ({ run, attempt: run, isCharged: true, outcome: "failed", started, finished });

test("the life of a job is one line without holes", () => {
  const all = timeline(row, [attempt(1, "2026-11-25T13:00:10Z", "2026-11-25T13:00:11Z")], Date.parse("2026-11-25T13:10:00Z"));
  assert.deepEqual(all.map(s => [s.kind, s.isOpen]), [["wait", false], ["run", false], ["backoff", true]]);
  for (let i = 1; i < all.length; i++) assert.equal(all[i]?.from, all[i - 1]?.to);
  assert.ok(all[2]?.isFolded, "an hour beside a second is folded");
});

test("a list that stands still changes in place, and collects what is new beside it", () => {
  const r = (id: string, state: JobRow["state"] = "ready"): JobRow => ({ ...row, id, state });
  const before = merge(nothing, { jobs: [r("3"), r("2"), r("1")], isPartial: false }, false);
  const still = merge(before, { jobs: [r("4"), r("3", "running"), r("1")], isPartial: false }, true);
  assert.deepEqual(still.rows.map(x => [x.id, x.state]), [["3", "running"], ["2", "ready"], ["1", "ready"]]);
  assert.deepEqual(still.fresh.map(x => x.id), ["4"]);
  assert.deepEqual([...still.gone], ["2"]);
  const moved = merge(still, { jobs: [r("4"), r("3", "running"), r("1")], isPartial: false }, false);
  assert.deepEqual(moved.rows.map(x => x.id), ["4", "3", "1"]);
  assert.deepEqual(between(moved.rows, "1", "4"), ["4", "3", "1"]);
});

const schema = JSON.stringify({ type: "object", required: ["id", "name", "tags"], properties: { id: { type: ["string", "integer"], pattern: "^-?" }, name: { type: "string" }, tags: { type: "array" }, kind: { enum: ["a", "b"], default: "b" }, note: { type: ["string", "null"] }, isDry: { type: "boolean" } } });

test("a form is made from a schema and written as JSON with all its digits", () => {
  const fields = fieldsOf(schema);
  assert.deepEqual(fields.map(f => f.kind), ["integer", "text", "json", "choice", "text", "flag"]);
  const values = { ...valuesFrom(fields, undefined), id: "9007199254740993", name: "x \"y\"" };
  assert.deepEqual(toJson(fields, values), { json: `{"id":9007199254740993,"name":"x \\"y\\"","tags":[],"kind":"b","isDry":false}` });
  assert.deepEqual(toJson(fields, { ...values, id: "1.5" }), { field: "id", message: "must be a whole number" });
  assert.deepEqual(toJson(fields, { ...values, id: "" }), { field: "id", message: "needs a value" });
  assert.deepEqual(fieldsOf("not json"), []);
});

test("searches for the slowest that go on from each other are one", () => {
  const run = (jobId: string, tookMs: number) => ({ jobId, run: 1, attempt: 1, outcome: "succeeded", started: "", finished: "", tookMs });
  const first = joined(undefined, { since: "s", runs: [run("10", 5), run("9", 3)], examined: 100, reached: "r", next: { jobId: "9", run: 1 } });
  const both = joined(first, { since: "later", runs: [run("8", 4), run("7", 3), ...Array.from({ length: 30 }, (_, i) => run(String(i), 1))], examined: 50 });
  assert.deepEqual([both.runs.slice(0, 4).map(r => r.jobId), both.runs.length, both.examined, both.since, both.next], [["10", "8", "9", "7"], 20, 150, "s", undefined]);
});

test("the palette puts what begins like it first", () => {
  const places = ["resizeImage", "index", "images"].map(name => ({ kind: "", name, href: "" }));
  assert.deepEqual(find(places, "im").map(p => p.name), ["images", "resizeImage"]);
  assert.deepEqual(find(places, "rsz").map(p => p.name), ["resizeImage"]);
});

test("the day to come stands in columns of an hour, and begins where it is now", () => {
  const ahead = {
    from: "2026-11-25T13:10:00Z", to: "2026-11-26T13:10:00Z", stepSeconds: 300, isPartial: false,
    slots: [
      { at: "2026-11-25T14:00:00Z", ticks: 9, schedules: ["a", "b"], more: 1 }, { at: "2026-11-25T14:05:00Z", ticks: 1, schedules: ["a"], more: 0 }, { at: "2026-11-26T13:05:00Z", ticks: 2, schedules: ["a", "b"], more: 0 },
    ],
  };
  const { columns, hours } = cells(ahead);
  assert.deepEqual([columns.length, hours[0], columns.every(c => c.length === 12)], [25, "2026-11-25T13:00:00.000Z", true]);
  assert.deepEqual([columns[0]?.[1], columns[0]?.[2]?.level, columns[1]?.[0]?.level, columns[1]?.[1]?.level, columns[24]?.[1]?.level, columns[24]?.[2]], [undefined, 0, 4, 2, 2, undefined]);
  assert.deepEqual(crowded(ahead).map(slot => slot.at), ["2026-11-25T14:00:00Z", "2026-11-26T13:05:00Z"]);
});
